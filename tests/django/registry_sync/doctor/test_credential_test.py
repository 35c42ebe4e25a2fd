"""POST …/users/<username>/test/ and …/files/: a fresh password proves itself, and is handed out as a file."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import RegistryUser
from accounts.services import passwords, users
from namespaces.access import Level
from namespaces.ledger.granted import granted
from namespaces.models import LedgerEntry
from registry_sync.tokens import wsgi
from registry_sync.views import credential_test
from tests import factories
from tests.cast import Cast
from tests.parts.scripted import Answer, Scripted, answer

SERVICE = "registry"


class Installation:
    """A registry and the token server, each at an address of its own; the tokens are real."""

    def __init__(self) -> None:
        self.registry, self.tokens = Scripted(), Scripted()
        self.realm = f"{self.tokens.url}/auth/token"
        self.taken: list[str] = []
        self.registry.says["/v2/"] = self._root
        self.tokens.by_request["/auth/token"] = self._token
        self.registry.otherwise = answer({"name": "x", "tags": []})

    def challenge(self, **headers: str) -> Answer:
        text = f'Bearer realm="{self.realm}",service="{SERVICE}"'
        return answer({"errors": []}, status=401, WWW_Authenticate=text, **headers)

    def _root(self, headers: Any) -> Answer:
        return answer({}) if headers.get("Authorization", "").startswith("Bearer ") else self.challenge()

    def _token(self, request: Any) -> Answer:
        self.taken.append(request.headers.get("Authorization", ""))
        environ = {
            "REQUEST_METHOD": "GET", "QUERY_STRING": request.path.partition("?")[2], "REMOTE_ADDR": "127.0.0.1",
            "HTTP_AUTHORIZATION": request.headers.get("Authorization", ""), "HTTP_USER_AGENT": "x",
        }  # fmt: skip
        try:
            status, _headers, body = wsgi.respond(environ, now=timezone.now())
        finally:
            connections.close_all()  # of this request's thread
        return answer(body, status=status)

    def stop(self) -> None:
        self.registry.stop()
        self.tokens.stop()


@pytest.fixture
def installation(settings: Any) -> Iterator[Installation]:
    made = Installation()
    settings.PUBLIC_URL, settings.TOKEN_URL, settings.TOKEN_SERVICE = made.tokens.url, made.realm, SERVICE
    settings.REGISTRY_URL = made.registry.url
    settings.REGISTRY_HOST = made.registry.url.removeprefix("http://")
    yield made
    made.stop()


pytestmark = pytest.mark.django_db(transaction=True)  # the token server asks from a thread of its own


@pytest.fixture
def user(cast: Cast) -> Any:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    team = factories.NamespaceFactory(account=cast.account, name="team")
    factories.GrantFactory(user=user, namespace=team, image_name="api", level=Level.WRITE)
    factories.GrantFactory(user=user, namespace=team, level=Level.READ)
    return user


def path(user: RegistryUser, end: str = "test") -> str:
    return f"/a/team-red/users/{user.username}/{end}/"


def tried(client: Client, user: Any, **more: Any) -> Any:
    return client.post(path(user), {"password": user.password}, **more)


def steps(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200
    return [(step.answer, step.problem) for step in answer.context["steps"]]


def test_a_good_password_passes_every_step(cast: Cast, installation: Installation, user: Any) -> None:
    page = tried(cast.client("owner"), user)
    assert steps(page) == [("401", ""), ("200", ""), ("200", ""), ("200", ""), ("200", "")]
    html = page.content.decode()
    for words in (
        "team/nginx: pull",
        "team/api: pull, push",
        "Test again",
        user.password,
        installation.realm,
    ):
        assert words in html
    assert installation.registry.asked == [
        "/v2/",
        "/v2/",
        "/v2/team/nginx/tags/list",
        "/v2/team/api/tags/list",
    ]
    assert "no-store" in page["Cache-Control"]


def test_it_asks_for_no_token_to_delete(cast: Cast, installation: Installation, user: Any) -> None:
    user.grants.update(level=Level.ADMIN)
    granted.forget()
    assert not [problem for _answer, problem in steps(tried(cast.client("owner"), user)) if problem]
    granted.write()
    assert set(LedgerEntry.objects.values_list("action", flat=True)) == {"pull", "push"}


def test_htmx_gets_the_steps_alone(cast: Cast, installation: Installation, user: Any) -> None:
    part = tried(cast.client("owner"), user, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert len(steps(part)) == 5


def test_a_password_is_sent_nowhere_but_to_the_panels_own_token_address(
    cast: Cast, installation: Installation, user: Any
) -> None:
    thief = Scripted()
    try:
        for challenge in (
            answer(status=401, WWW_Authenticate=f'Bearer realm="{thief.url}/auth/token",service="x"'),
            answer(status=307, Location=f"{thief.url}/v2/"),
        ):
            installation.registry.says["/v2/"] = challenge
            last = steps(tried(cast.client("owner"), user))[-1]
            assert last[1]
        installation.registry.says["/v2/"] = installation._root
        installation.tokens.by_request["/auth/token"] = lambda _request: answer(
            status=302, Location=f"{thief.url}/t"
        )
        assert "Clients send no password there" in steps(tried(cast.client("owner"), user))[-1][1]
        assert thief.asked == []
        assert installation.taken == []
    finally:
        thief.stop()


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (answer(status=404), "a proxy or another server"),
        (answer({}), "asks for no token"),
        (answer(status=502), "502 instead of 401"),
        (answer(drop=True), "cannot be reached"),
    ],
)
def test_it_ends_at_the_step_that_fails(
    cast: Cast, installation: Installation, user: Any, root: Answer, words: str
) -> None:
    installation.registry.says["/v2/"] = root
    found = steps(tried(cast.client("owner"), user))
    assert len(found) == 1
    assert words in found[0][1]


def test_a_registry_that_does_not_trust_the_tokens_is_told_of(
    cast: Cast, installation: Installation, user: Any
) -> None:
    installation.registry.says["/v2/"] = lambda _headers: installation.challenge()
    found = steps(tried(cast.client("owner"), user))
    assert [status for status, _problem in found] == ["401", "200", "401"]
    assert "does not trust the panel’s tokens" in found[-1][1]


def test_a_token_address_that_a_proxy_does_not_know(
    cast: Cast, installation: Installation, user: Any
) -> None:
    installation.tokens.by_request["/auth/token"] = lambda _request: answer(b"nginx", status=404)
    assert "does not pass the token address on" in steps(tried(cast.client("owner"), user))[-1][1]
    installation.tokens.by_request["/auth/token"] = lambda _request: answer(b"hello")
    assert "200 and no token" in steps(tried(cast.client("owner"), user))[-1][1]


def test_a_disabled_user_is_refused_by_the_token_server(
    cast: Cast, installation: Installation, user: Any
) -> None:
    users.disable(by=cast.by("owner"), user=user)
    found = steps(tried(cast.client("owner"), user))
    assert found[-1][0] == "401"
    assert "refuses this username and password" in found[-1][1]


def test_where_clients_addresses_do_not_reach_the_panels_own_is_tried(
    cast: Cast, installation: Installation, user: Any, settings: Any
) -> None:
    settings.REGISTRY_HOST = "localhost:1"
    found = steps(tried(cast.client("owner"), user))
    assert "cannot be reached from here" in found[0][1]
    assert [problem for _answer, problem in found[1:]] == [""] * 5


@pytest.mark.parametrize("end", ["test", "files"])
@pytest.mark.parametrize("which", ["another user's", "ended", "none", "mistyped"])
def test_only_a_password_of_this_user_that_works_is_taken(
    cast: Cast, installation: Installation, user: Any, end: str, which: str
) -> None:
    password = user.password
    if which == "another user's":
        password = factories.RegistryUserFactory(account=cast.account).password
    elif which == "ended":
        passwords.replace(by=cast.by("owner"), user=user)
    elif which == "none":
        password = ""
    else:
        password = password[:-1]
    answer = cast.client("owner").post(path(user, end), {"password": password, "file": "docker"})
    assert answer.status_code == 302
    assert installation.registry.asked == []


@pytest.mark.parametrize("end", ["test", "files"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("manager", 200), ("viewer", 403), ("stranger", 404), ("anonymous", 302)],
)
def test_who_may(cast: Cast, installation: Installation, user: Any, end: str, who: str, status: int) -> None:
    answer = cast.client(who).post(path(user, end), {"password": user.password, "file": "docker"})
    assert answer.status_code == status
    if status != 200:
        assert installation.registry.asked == []
        assert cast.client(who).get(path(user, end)).status_code in (302, 404, 405)


def test_one_at_a_time(cast: Cast, installation: Installation, user: Any) -> None:
    assert credential_test._one_at_a_time.acquire(timeout=1)
    try:
        assert tried(cast.client("owner"), user).status_code == 503
    finally:
        credential_test._one_at_a_time.release()
    assert len(steps(tried(cast.client("owner"), user))) == 5


@pytest.mark.parametrize(("file", "name"), [("docker", "config.json"), ("kubernetes", "registry-{}.yaml")])
def test_the_password_as_a_file(
    cast: Cast, installation: Installation, user: Any, file: str, name: str
) -> None:
    answer = cast.client("owner").post(path(user, "files"), {"password": user.password, "file": file})
    assert answer["Content-Disposition"] == f'attachment; filename="{name.format(user.username)}"'
    assert "no-store" in answer["Cache-Control"]
    if file == "docker":
        pair = json.loads(answer.content)["auths"][installation.registry.url.removeprefix("http://")]["auth"]
        assert base64.b64decode(pair).decode() == f"{user.username}:{user.password}"


def test_there_is_no_other_file(cast: Cast, installation: Installation, user: Any) -> None:
    answer = cast.client("owner").post(path(user, "files"), {"password": user.password, "file": "x"})
    assert answer.status_code == 404


def test_the_line_of_the_last_use_follows_each_use(cast: Cast, user: Any) -> None:
    client, url = cast.client("viewer"), path(user, "last-use")
    assert "never" in client.get(url).content.decode()
    RegistryUser.objects.filter(pk=user.pk).update(
        last_used_at=timezone.now(), last_used_from="10.0.0.5", last_used_with="docker/27.5.1"
    )
    line = client.get(url).content.decode()
    assert "from 10.0.0.5 with docker/27.5.1" in line
    assert 'hx-trigger="ask"' in line
    assert cast.client("stranger").get(url).status_code == 404
