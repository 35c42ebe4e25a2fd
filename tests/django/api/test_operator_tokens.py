"""An operator's token reaches the system's part of the API only if it was asked for, and while they are one."""

from typing import Any

import pytest

from accounts.models import Person
from tests.cast import Cast
from tests.django.api import routes, test_system
from tests.django.api.caller import Caller, token_of
from tests.django.api.routes import Route
from tests.django.api.world import snapshot

of_operators = pytest.mark.parametrize("route", routes.operators(), ids=str)
ids = test_system.ids


def of_sessions_alone(route: Route) -> bool:
    """No token does this, whatever it may."""
    return bool(getattr(route.view, route.method.lower()).operation.signed_in)


@of_operators
@pytest.mark.parametrize("scope", ["read", "manage"])
@pytest.mark.parametrize("as_operator", [True, False])
def test_an_operators_token_is_not_all_powerful_unless_asked_for(
    cast: Cast, operator: Person, ids: dict[str, Any], route: Route, scope: str, as_operator: bool
) -> None:
    token = token_of(operator, scope=scope, as_operator=as_operator)
    before = snapshot()
    answer = Caller(token)(route.method, test_system.path(route, ids), test_system.body(route))
    if of_sessions_alone(route) or (scope == "read" and route.method != "GET"):
        assert answer.status_code == 403
    elif as_operator:
        assert answer.status_code < 300
        return
    else:
        assert answer.status_code == 404
    assert snapshot() == before


@of_operators
def test_it_acts_as_operator_only_while_the_person_is_one(
    cast: Cast, ids: dict[str, Any], route: Route
) -> None:
    token = token_of(cast.owner, as_operator=True)
    answer = Caller(token)(route.method, test_system.path(route, ids), test_system.body(route))
    assert answer.status_code == (403 if of_sessions_alone(route) else 404)


def test_me_says_so(operator: Person) -> None:
    callers = [Caller(token_of(operator, as_operator=each)) for each in (True, False)]
    assert [each.get("me/").json()["is_operator"] for each in callers] == [True, False]
