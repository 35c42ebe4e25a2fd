"""The token door, asked as clients ask it."""

import base64
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import credentials
from accounts.access_denials import denials
from accounts.common.password_throttle import FAILURES
from accounts.last_used import uses
from accounts.models import RegistryUser, Secret
from accounts.peppers import peppers
from accounts.services import passwords, suspension, users
from namespaces.access import Level
from namespaces.models import Namespace
from registry_sync.tokens import queries
from registry_sync.tokens.issuer import signer
from registry_sync.tokens.throttle import throttle
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.cast import Cast
from tests.statements import asked_of_the_driver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle._failures.clear()
    uses.forget()
    denials.forget()


@pytest.fixture
def namespace(cast: Cast) -> Any:
    return factories.NamespaceFactory(account=cast.account, name="team")


def user_with(cast: Cast, namespace: Any, level: Level, image: str = "") -> Any:
    user = factories.RegistryUserFactory(account=cast.account)
    factories.GrantFactory(user=user, namespace=namespace, level=level, image_name=image)
    return user


def ask(
    user: Any = None,
    *scopes: str,
    password: str | None = None,
    method: str = "GET",
    form: Any = None,
    **extra: Any,
) -> tuple[int, Any]:
    query = [("service", settings.TOKEN_SERVICE), *(("scope", scope) for scope in scopes)]
    body = urlencode(form or {}).encode()
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": urlencode(query), "REMOTE_ADDR": "192.0.2.1",
               "HTTP_USER_AGENT": "docker/27.3.1 go/go1.22", "wsgi.input": io.BytesIO(body)}  # fmt: skip
    if user:
        pair = f"{user.username}:{user.password if password is None else password}"
        environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(pair.encode()).decode()
    status, headers, content = respond(environ | extra, now=datetime.now(UTC))
    assert dict(headers)["Cache-Control"] == "no-store"
    return status, json.loads(content)


def claims(body: Any) -> Any:
    key = signer().leaf(now=0).key.public_key()
    return jwt.decode(body["token"], key, algorithms=["ES256"], audience=settings.TOKEN_SERVICE,
                      issuer=settings.TOKEN_ISSUER)  # fmt: skip


def access(body: Any) -> dict[str, list[str]]:
    return {each["name"]: each["actions"] for each in claims(body)["access"]}


@pytest.mark.parametrize(
    ("level", "granted"),
    [(Level.READ, ["pull"]), (Level.WRITE, ["pull", "push"]), (Level.ADMIN, ["pull", "push", "delete"])],
)
def test_what_is_granted_is_what_is_asked_and_allowed(
    cast: Cast, namespace: Any, level: Level, granted: list[str]
) -> None:
    user = user_with(cast, namespace, level)
    status, body = ask(user, "repository:team/app:pull,push,delete", "repository:team/other:pull")
    assert status == 200
    assert access(body) == {"team/app": granted, "team/other": ["pull"]}


def test_the_answer_has_the_form_that_every_client_reads(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.READ)
    status, body = ask(user, "repository:team/app:pull")
    token = claims(body)
    header = jwt.get_unverified_header(body["token"])
    assert status == 200
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == settings.TOKEN_TTL_SECONDS
    assert datetime.fromisoformat(body["issued_at"]).tzinfo
    assert all(isinstance(token[name], int) for name in ("exp", "nbf", "iat"))
    assert token["aud"] == settings.TOKEN_SERVICE
    assert token["sub"] == user.username
    assert header["alg"] == "ES256"
    assert len(header["x5c"]) == 1
    assert len(header["kid"].split(":")) == 12


def test_the_statement_names_the_row_of_the_password_that_was_given(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    second = factories.add_password(user)
    for password in (user.password, second):
        stored_as = credentials.digests(password, peppers())
        caller = queries.load_caller(digests=stored_as, repositories=["team/app"], now=timezone.now())
        assert caller
        assert caller.user
        assert caller.user.secret_id == Secret.objects.get(user=user, digest=stored_as[0]).pk


def test_login_without_scope_gives_an_empty_token(cast: Cast, namespace: Any) -> None:
    status, body = ask(user_with(cast, namespace, Level.READ))
    assert (status, claims(body)["access"]) == (200, [])


@pytest.mark.parametrize(
    "name", ["team-evil/app", "teamevil/app", "team.evil/app", "tea/app", "elsewhere/app", "nowhere/app"]
)
def test_a_grant_reaches_its_namespace_and_no_neighbour(cast: Cast, namespace: Any, name: str) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="team-evil")
    factories.NamespaceFactory(account=cast.elsewhere, name="elsewhere")
    user = user_with(cast, namespace, Level.ADMIN)
    status, body = ask(user, f"repository:{name}:pull,push", "repository:team/app:pull")
    assert (status, access(body)) == (200, {"team/app": ["pull"]})


def test_a_grant_on_an_image_reaches_that_image_alone(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.WRITE, image="app")
    _status, body = ask(
        user, "repository:team/app:push,pull repository:team/app/sub:pull repository:team/b:pull"
    )
    assert access(body) == {"team/app": ["pull", "push"]}


def test_the_source_of_a_mount_is_checked_like_its_target(cast: Cast, namespace: Any) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="victim")
    user = user_with(cast, namespace, Level.WRITE)
    _status, body = ask(user, "repository:team/app:push,pull", "repository:victim/secret:pull")
    assert access(body) == {"team/app": ["pull", "push"]}


def test_anybody_pulls_what_is_public_and_nothing_else(cast: Cast, namespace: Any) -> None:
    factories.NamespaceFactory(account=cast.account, name="open", public=True)
    status, body = ask(None, "repository:open/x:pull,push", "repository:team/app:pull")
    assert (status, access(body), claims(body)["sub"]) == (200, {"open/x": ["pull"]}, "")


def test_nobody_without_a_wish_is_asked_to_sign_in() -> None:
    assert ask(None)[0] == 401


def test_wrong_names_and_wrong_passwords_look_alike(cast: Cast, namespace: Any) -> None:
    user, other = user_with(cast, namespace, Level.READ), user_with(cast, namespace, Level.READ)
    answers = [
        ask(user, password=other.password),
        ask(user, password="hunter2"),
        ask(user, password=""),
        ask(RegistryUser(username="nobody000000"), password=user.password),
        ask(RegistryUser(username="nobody000000"), password="x" * 3000),
    ]
    assert {status for status, _body in answers} == {401}
    assert len({json.dumps(body) for _status, body in answers}) == 1
    assert ask(user)[0] == 200


def test_the_password_of_a_person_is_refused(cast: Cast) -> None:
    assert ask(RegistryUser(username=cast.owner.email), password=factories.PASSWORD)[0] == 401


@pytest.mark.parametrize("what", ["disabled", "expired", "closed", "suspended", "deleted", "replaced"])
def test_who_lost_the_right_is_refused_at_once(cast: Cast, namespace: Any, what: str) -> None:
    user, by = user_with(cast, namespace, Level.READ), cast.by("owner")
    assert ask(user)[0] == 200
    password = user.password
    match what:
        case "disabled":
            users.disable(by=by, user=user)
        case "expired":
            RegistryUser.objects.filter(pk=user.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        case "closed":
            cast.account.closed_at = timezone.now()
            cast.account.save()
        case "suspended":
            suspension.suspend(by=by, account=cast.account)
        case "deleted":
            users.delete(by=by, user=user)
        case "replaced":
            passwords.replace(by=by, user=user)
    status, body = ask(user, password=password)
    assert status == 401
    assert body["errors"][0]["code"] == "UNAUTHORIZED"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's sessions have no time zone.")
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_an_end_is_judged_alike_in_every_time_zone_of_a_session(
    cast: Cast, namespace: Any, zone: str
) -> None:
    """A role, a database or a pooler may give a session another zone than Django wants."""
    user = user_with(cast, namespace, Level.READ)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    for away, expected in ((timedelta(hours=1), 200), (timedelta(hours=-1), 401)):
        RegistryUser.objects.filter(pk=user.pk).update(expires_at=timezone.now() + away)
        assert ask(user)[0] == expected


@pytest.mark.parametrize("services", [[], ["evil.example"], [None, "evil.example"]])
def test_only_our_service_is_served(cast: Cast, namespace: Any, services: list[str | None]) -> None:
    user = user_with(cast, namespace, Level.READ)
    query = urlencode([("service", each or settings.TOKEN_SERVICE) for each in services])
    assert ask(user, QUERY_STRING=query)[0] == 400


def test_account_in_the_query_and_cookies_are_ignored(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.READ)
    query = urlencode({"service": settings.TOKEN_SERVICE, "account": "admin"})
    _status, body = ask(user, QUERY_STRING=query, HTTP_COOKIE="panel_session=x")
    assert claims(body)["sub"] == user.username


def test_containerd_posts_a_form(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.WRITE)
    form = {
        "grant_type": "password",
        "username": user.username,
        "password": user.password,
        "service": settings.TOKEN_SERVICE,
        "scope": "repository:team/a:pull repository:team/a:pull,push",
    }
    status, body = ask(method="POST", form=form)
    assert (status, access(body), body["scope"]) == (
        200,
        {"team/a": ["pull", "push"]},
        "repository:team/a:pull,push",
    )
    assert ask(method="POST", form=form | {"password": "wrong"})[0] == 401
    assert ask(method="POST", form=form | {"grant_type": "refresh_token"})[0] == 400
    assert ask(method="POST", form=form | {"scope": "x" * 300_000})[0] == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(method: str) -> None:
    assert ask(method=method)[0] == 405


def test_head_is_answered_as_get_is() -> None:
    assert ask(method="HEAD")[0] == ask(method="GET")[0]


@pytest.mark.parametrize(
    "header", ["Basic !!!", "Basic \xe9", "Basic /w==", "Basic YQ==", "Bearer x", "Basic " + "A" * 9000]
)
def test_a_header_that_cannot_be_read_is_a_401(header: str) -> None:
    assert ask(None, "repository:team/a:pull", HTTP_AUTHORIZATION=header)[0] == 401


def test_an_empty_name_and_password_is_anonymous(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.account, name="open", public=True)
    _status, body = ask(None, "repository:open/x:pull", HTTP_AUTHORIZATION="Basic Og==")
    assert access(body) == {"open/x": ["pull"]}


def test_guessing_is_slowed_and_the_right_password_never(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.READ)
    statuses = [ask(user, password="guess")[0] for _ in range(FAILURES + 1)]
    assert statuses == [401] * FAILURES + [429]
    assert ask(user)[0] == 200


@pytest.mark.parametrize("count", [1, 10])
def test_one_statement_however_many_scopes(cast: Cast, namespace: Any, count: int) -> None:
    user = user_with(cast, namespace, Level.READ)
    with asked_of_the_driver() as statements:
        _status, body = ask(user, *(f"repository:team/app{n}:pull" for n in range(count)))
    assert len(statements) == 1
    assert len(access(body)) == count


@pytest.mark.django_db(transaction=True)  # within one nothing is prepared
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no plans to keep.")
def test_the_statement_is_planned_once_for_all_values(cast: Cast, namespace: Any) -> None:
    """Planning takes longer than running; PostgreSQL tries five plans of particular values first."""
    user = user_with(cast, namespace, Level.READ)
    for _time in range(12):
        ask(user, "repository:team/app:pull")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT custom_plans, generic_plans >= 5 FROM pg_prepared_statements WHERE statement LIKE %s",
            ["%accounts_secret%unnest%"],
        )
        assert cursor.fetchall() == [(5, True)]


def test_what_is_private_elsewhere_does_not_exist_for_a_user(cast: Cast, namespace: Any) -> None:
    """Not even with a permission of some sort there: none of our doors gives one."""
    theirs = factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    user = user_with(cast, theirs, Level.ADMIN)
    _status, body = ask(user, "repository:theirs/app:pull,push")
    assert access(body) == {}
    Namespace.objects.filter(pk=theirs.pk).update(public=True)
    _status, body = ask(user, "repository:theirs/app:pull")
    assert access(body) == {"theirs/app": ["pull"]}


def test_the_use_is_written_afterwards(cast: Cast, namespace: Any) -> None:
    user = user_with(cast, namespace, Level.READ)
    ask(user)
    assert uses.write() == 1
    user.refresh_from_db()
    assert (user.last_used_from, user.last_used_with) == ("192.0.2.1", "docker/27.3.1")
