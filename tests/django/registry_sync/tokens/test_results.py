"""What came of a request for a token, as metrics count it."""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings

from accounts import access_denials
from accounts.access_denials import denials
from accounts.common.password_throttle import FAILURES
from accounts.last_used import uses
from accounts.models import Account
from namespaces.access import Level
from registry_sync.tokens import results, wsgi
from registry_sync.tokens.request import KEYS_COMING
from registry_sync.tokens.results import token_seconds
from registry_sync.tokens.throttle import throttle
from tests import factories
from tests.statements import asked_of_the_driver, caused_by

pytestmark = pytest.mark.django_db
TEAM, OTHER = "repository:team/app:pull,push", "repository:other/app:pull"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    throttle._failures.clear()
    uses.forget()
    denials.forget()
    yield
    throttle._failures.clear()


@pytest.fixture
def user() -> Any:
    user = factories.RegistryUserFactory()
    space = factories.NamespaceFactory(account=user.account, name="team")
    factories.GrantFactory(user=user, namespace=space, level=Level.WRITE)
    return user


def ask(user: Any, *scopes: str, password: str = "", service: str = "") -> dict[str, float]:
    """Return result → how many more of it were counted, and took 0.25 s, as the clock has it."""
    ticks = iter((10.0, 10.25))
    query = [("service", service or settings.TOKEN_SERVICE), *(("scope", scope) for scope in scopes)]
    pair = f"{user.username}:{password or user.password}".encode()
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": urlencode(query),
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(pair).decode(),
        "wsgi.input": io.BytesIO(),
    }
    before = token_seconds.numbers()
    results.measured(wsgi.respond, lambda: next(ticks))(environ, now=datetime.now(UTC))
    after = token_seconds.numbers()
    grown = {each: after[each][-1] - before[each][-1] for each in after if after[each] != before[each]}
    assert set(grown.values()) == {0.25}
    return {each: sum(after[each][:-1]) - sum(before[each][:-1]) for each in grown}


@pytest.mark.parametrize(
    ("scopes", "result"),
    [
        ([TEAM], "granted"),
        ([TEAM, OTHER], "partial"),
        (["repository:team/app:pull,push,delete"], "partial"),
        ([OTHER], "denied"),
        ([TEAM, "repository:Team/App:pull"], "partial"),
        (["repository:Team/App:pull"], "denied"),
        ([], "signed_in"),
    ],
)
def test_whoever_signs_in(user: Any, scopes: list[str], result: str) -> None:
    assert ask(user, *scopes) == {result: 1}


def test_whoever_does_not(user: Any) -> None:
    assert ask(user, TEAM, password="x") == {"unauthorized": 1}
    assert ask(user, TEAM, service="another") == {"invalid": 1}
    for _time in range(FAILURES):
        ask(user, TEAM, password="x")
    assert ask(user, TEAM, password="x") == {"throttled": 1}
    assert ask(user, TEAM) == {"granted": 1}


def test_without_a_database(user: Any) -> None:
    def fail() -> None:
        raise caused_by(ValueError())

    with asked_of_the_driver(fail):
        assert ask(user, TEAM) == {"unavailable": 1}


def test_denials_are_counted_by_what_was_asked_for(user: Any) -> None:
    before = access_denials.denials_total.numbers()
    ask(user, TEAM, OTHER)
    ask(user, "repository:team/app:delete")
    ask(user, TEAM, password="x")
    Account.objects.update(closed_at=datetime.now(UTC))
    after = access_denials.denials_total.numbers()
    grown = {each: after[each][0] - before[each][0] for each in after if after[each] != before[each]}
    assert grown == {"mount": 1, "delete": 1, "all": 1}


def test_a_key_that_is_being_fetched_is_no_outage() -> None:
    """Though its answer has the same status."""
    before = token_seconds.numbers()["keys_coming"]

    def respond(environ: dict[str, Any], *, now: datetime) -> results.Answer:
        environ[KEYS_COMING] = frozenset({1})
        return 503, [], b""

    results.measured(respond)({}, now=datetime.now(UTC))
    after = token_seconds.numbers()["keys_coming"]
    assert sum(after[:-1]) == sum(before[:-1]) + 1


def test_measuring_takes_the_door_of_tokens_alone() -> None:
    doors = {**wsgi.DOORS}
    wsgi.measure_tokens(doors)
    assert {path for path in doors if doors[path] is not wsgi.DOORS[path]} == {wsgi.PATH}
