"""The token door under abuse: it fails closed, forgets at once, and takes for a password nothing but one."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as real
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client
from django.utils import timezone

from accounts.access_denials import KEPT, denials
from accounts.common.circuit_breaker import Breaker
from accounts.credentials import digests
from accounts.last_used import uses
from accounts.models import Denial, DropCounter, RegistryUser
from accounts.peppers import peppers
from accounts.services import api_tokens, invitations, users
from namespaces.access import Level
from namespaces.models import ReservedName
from namespaces.services import grants, namespaces
from registry_sync.tokens import queries
from registry_sync.tokens.issuer import issue_panel_token
from registry_sync.tokens.scope import MAX_REPOSITORIES
from registry_sync.tokens.throttle import throttle
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import access, ask, claims
from tests.statements import asked_of_the_driver

pytestmark = pytest.mark.django_db
PULL = "repository:team/app:pull"


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle._failures.clear()
    uses.forget()
    denials.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account)
    user.grant = factories.GrantFactory(user=user, namespace=namespace, level=Level.WRITE)
    return user


def headers_of(**environ: str) -> tuple[int, dict[str, str]]:
    query = urlencode([("service", real.TOKEN_SERVICE), ("scope", PULL)])
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.1", **environ}
    status, headers, _body = respond(environ, now=datetime.now(UTC))
    return status, dict(headers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ProgrammingError, DatabaseError])
@pytest.mark.parametrize("signed_in", [True, False])
def test_without_the_database_nobody_gets_a_token_and_everybody_comes_back(
    user: Any, error: type[Exception], signed_in: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty token would read as "denied" and end a deployment; a 500 is final for some clients."""

    def lost() -> None:
        raise error("server closed the connection at 10.0.0.9")

    with asked_of_the_driver(lost):
        status, body = ask(user if signed_in else None, PULL)
    assert status == 503
    assert body["errors"][0]["code"] == "UNAVAILABLE"
    assert "10.0.0.9" not in str(body) + caplog.text
    assert ask(user, PULL)[0] == 200


@pytest.mark.django_db(transaction=True)
def test_a_client_is_told_when_to_come_back(user: Any) -> None:
    def lost() -> None:
        raise OperationalError

    with asked_of_the_driver(lost):
        status, headers = headers_of()
    assert status == 503
    assert int(headers["Retry-After"]) > 0


@pytest.mark.parametrize("count", [MAX_REPOSITORIES, MAX_REPOSITORIES + 1, 10_000])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_of_too_many_scopes_the_first_count_and_one_statement_asks_for_them(
    user: Any, count: int, method: str
) -> None:
    """regsync asks for all that it knows at once: an error ends it, a part does not."""
    scopes = [f"repository:team/n{number}:pull,push" for number in range(count)]
    form = {"grant_type": "password", "username": user.username, "password": user.password,
            "service": real.TOKEN_SERVICE, "scope": " ".join(scopes)[: 128 * 1024]}  # fmt: skip
    with asked_of_the_driver() as statements:
        status, body = ask(user, *scopes) if method == "GET" else ask(method="POST", form=form)
    assert (status, len(statements)) == (200, 1)
    assert access(body) == {f"team/n{number}": ["pull", "push"] for number in range(MAX_REPOSITORIES)}


def test_ten_times_as_many_repositories_cost_about_ten_times_as_much(user: Any) -> None:
    """A list joined to a list costs the product of both."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does not count its steps.")
    stored_as = digests(user.password, peppers())

    def steps(count: int) -> int:
        names, taken = [f"team/n{number}" for number in range(count)], []
        connection.connection.set_progress_handler(lambda: taken.append(1), 100)
        try:
            assert queries.load_caller(digests=stored_as, repositories=names, now=timezone.now())
        finally:
            connection.connection.set_progress_handler(None, 0)
        return len(taken)

    assert 0 < steps(10 * 100) < 15 * steps(100)


def test_what_a_thousand_scopes_are_refused_is_bounded_counted_and_said(user: Any) -> None:
    scopes = [f"repository:nowhere/n{number}:*" for number in range(MAX_REPOSITORIES)]
    assert ask(user, *scopes)[0] == 200
    assert denials.write() == KEPT
    assert Denial.objects.filter(repository="nowhere/n0").exists()
    # Push and delete: a denied push stands for its pull too.
    assert DropCounter.objects.get().count == 2 * MAX_REPOSITORIES - KEPT


def test_a_form_is_not_mixed_with_a_query_nor_a_query_with_a_form(user: Any) -> None:
    form = {
        "grant_type": "password",
        "username": user.username,
        "password": user.password,
        "service": real.TOKEN_SERVICE,
    }
    assert access(ask(None, PULL, method="POST", form=form)[1]) == {}
    assert access(ask(None, PULL, form=form | {"scope": PULL})[1]) == {}
    pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    without = {"grant_type": "password", "service": real.TOKEN_SERVICE, "scope": PULL}
    _status, body = ask(method="POST", form=without, HTTP_AUTHORIZATION=f"Basic {pair}")
    assert access(body) == {}
    assert access(ask(method="POST", form=form | {"scope": PULL})[1]) == {"team/app": ["pull"]}


def test_a_session_of_the_panel_is_nobody_here_and_none_is_made(cast: Cast, user: Any) -> None:
    cookie = f"{real.SESSION_COOKIE_NAME}={cast.client('owner').cookies[real.SESSION_COOKIE_NAME].value}"
    status, body = ask(None, PULL, HTTP_COOKIE=cookie)
    assert (status, access(body), claims(body)["sub"]) == (200, {}, "")
    pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    status, headers = headers_of(HTTP_AUTHORIZATION=f"Basic {pair}", HTTP_COOKIE=cookie)
    assert status == 200
    assert "Set-Cookie" not in headers


def test_no_token_can_be_refreshed(user: Any) -> None:
    form = {"grant_type": "password", "username": user.username, "password": user.password,
            "service": real.TOKEN_SERVICE, "scope": PULL, "offline_token": "true"}  # fmt: skip
    status, body = ask(method="POST", form=form)
    assert status == 200
    assert "refresh_token" not in body


def secrets_of_other_doors(cast: Cast) -> dict[str, str]:
    by = cast.by("owner")
    return {
        "API token": api_tokens.create(by=by, name="CI", expires_at=None, confirmed=True)[1],
        "invitation": invitations.invite(by=by, account=cast.account, role="owner")[1],
        "person": factories.PASSWORD,
        "registry token": issue_panel_token([], now=timezone.now()),
    }


@pytest.mark.parametrize("kind", ["API token", "invitation", "person", "registry token"])
def test_what_opens_another_door_is_no_password(cast: Cast, user: Any, kind: str) -> None:
    secret = secrets_of_other_doors(cast)[kind]
    for name in (user.username, cast.owner.email):
        assert ask(RegistryUser(username=name), PULL, password=secret)[0] == 401
    assert ask(user, PULL)[0] == 200


def test_what_opens_this_door_opens_no_other(cast: Cast, user: Any) -> None:
    _status, body = ask(user, PULL)
    for login in (user.username, f"{user.username}@example.com", cast.owner.email):
        form = {"login": login, "password": user.password}
        assert Client().post("/me/login/", form).status_code == 200
    for text in (body["token"], issue_panel_token([], now=timezone.now()), user.password):
        for path in ("/api/v1/me/", "/me/tokens/"):
            assert Client().get(path, headers={"Authorization": f"Bearer {text}"}).status_code in (302, 401)
        assert Client().get(f"/invite/{text}/").status_code == 404
    form = {"login": cast.owner.email, "password": factories.PASSWORD}
    assert Client().post("/me/login/", form).status_code == 302


def test_a_permission_that_was_changed_or_taken_is_gone_with_the_next_token(cast: Cast, user: Any) -> None:
    everything = "repository:team/app:pull,push,delete"
    assert access(ask(user, everything)[1]) == {"team/app": ["pull", "push"]}
    grants.change(by=cast.by("owner"), grant=user.grant, level="read", expires_at=None)
    assert access(ask(user, everything)[1]) == {"team/app": ["pull"]}
    grants.remove(by=cast.by("owner"), grant=user.grant)
    assert access(ask(user, everything)[1]) == {}


def test_what_is_no_longer_public_is_no_longer_anybodys(cast: Cast, user: Any) -> None:
    namespace = user.grant.namespace
    namespaces.set_public(by=cast.by("owner"), namespace=namespace, public=True)
    assert access(ask(None, PULL)[1]) == {"team/app": ["pull"]}
    namespaces.set_public(by=cast.by("owner"), namespace=namespace, public=False)
    assert access(ask(None, PULL)[1]) == {}


def test_grants_never_follow_a_name(cast: Cast, user: Any) -> None:
    """Neither to the account that makes it anew, nor to the one that an operator gives it to."""
    assert access(ask(user, PULL)[1]) == {"team/app": ["pull"]}
    namespaces.delete(by=cast.by("owner"), namespace=user.grant.namespace, confirmation="team")
    assert access(ask(user, PULL)[1]) == {}
    again = namespaces.create(by=cast.by("owner"), account=cast.account, name="team")
    assert access(ask(user, PULL)[1]) == {}
    namespaces.delete(by=cast.by("owner"), namespace=again, confirmation="team")
    ReservedName.objects.update(account=cast.elsewhere)
    new = namespaces.create(by=cast.by("stranger"), account=cast.elsewhere, name="team")
    theirs = factories.RegistryUserFactory(account=cast.elsewhere)
    factories.GrantFactory(user=theirs, namespace=new)
    assert access(ask(user, PULL)[1]) == {}
    assert access(ask(theirs, PULL)[1]) == {"team/app": ["pull"]}


def test_it_is_known_when_the_last_token_for_a_name_ends(cast: Cast, user: Any) -> None:
    namespaces.delete(by=cast.by("owner"), namespace=user.grant.namespace, confirmation="team")
    left = ReservedName.objects.get().until - timezone.now()  # type: ignore[operator]
    assert left > timedelta(seconds=real.TOKEN_TTL_SECONDS + 60)


def test_a_user_that_was_deleted_leaves_no_right_to_one_made_later(cast: Cast, user: Any) -> None:
    users.delete(by=cast.by("owner"), user=RegistryUser.objects.get(pk=user.pk))
    new, password = users.create(by=cast.by("owner"), account=cast.account, description="CI", expires_at=None)
    assert access(ask(new, PULL, password=password)[1]) == {}
    assert ask(user, PULL)[0] == 401


@pytest.mark.django_db(transaction=True)
def test_a_database_that_makes_everybody_wait_is_left_alone_for_as_long(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens are made one after the other: each that waited in vain would wait behind all before it."""
    asked, now = [], [0.0]

    def waits_in_vain() -> None:
        asked.append(1)
        now[0] += 2
        raise OperationalError

    monkeypatch.setattr(queries, "_database", Breaker(rest=0, clock=lambda: now[0]))
    with asked_of_the_driver(waits_in_vain):
        statuses = {ask(user, PULL)[0] for _each in range(5)}
    assert (statuses, len(asked)) == ({503}, 1)
    now[0] = 4.1
    assert ask(user, PULL)[0] == 200
