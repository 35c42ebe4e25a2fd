"""What a token may, walked over every route: each kind of token succeeds where it should, and nowhere else."""

from typing import Any

import pytest

from accounts.models import Account, ApiToken, Member
from tests.django.api import routes
from tests.django.api.caller import Caller, error_of, token_of
from tests.django.api.routes import Route
from tests.django.api.test_every_route import REFUSED_TO_OWNER
from tests.django.api.world import World, snapshot

every_route = pytest.mark.parametrize("route", routes.every(), ids=str)
inside_an_account = pytest.mark.parametrize(
    "route", [each for each in routes.every() if "handle" in each.arguments], ids=str
)


@pytest.fixture
def world(shared_world: World) -> World:
    """The owner of "team-red" owns "elsewhere" too."""
    cast = shared_world.cast
    Member.objects.create(account=cast.elsewhere, person=cast.owner, role="owner")
    return shared_world


def caller(world: World, **may: Any) -> Caller:
    return Caller(token_of(world.cast.owner, **may))


@every_route
@pytest.mark.parametrize("account", [None, "team-red"])
def test_a_token_that_reads_changes_nothing(world: World, route: Route, account: str | None) -> None:
    only = Account.objects.get(handle=account) if account else None
    reading = caller(world, scope="read", account=only)
    before = snapshot()
    answer = reading(route.method, route.path(world), routes.body_for(route, world))
    if route.method == "GET":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert "scope “read”" in error_of(answer)["message"]
    assert snapshot() == before


@every_route
def test_a_token_that_manages_one_account_succeeds_there(world: World, route: Route) -> None:
    only = caller(world, account=world.cast.account)
    answer = only(route.method, route.path(world), routes.body_for(route, world))
    expected = REFUSED_TO_OWNER | {
        "POST api-accounts": 403,
        "DELETE api-my-token": 404,  # it reaches all accounts
    }
    assert answer.status_code == expected.get(str(route), answer.status_code)
    assert answer.status_code < 300 or str(route) in expected


@inside_an_account
@pytest.mark.parametrize("scope", ["read", "manage"])
def test_to_a_token_of_another_account_it_is_absent(world: World, route: Route, scope: str) -> None:
    other = caller(world, scope=scope, account=world.cast.elsewhere)
    before = snapshot()
    answer = other(route.method, route.path(world), routes.body_for(route, world))
    assert answer.status_code == (403 if scope == "read" and route.method != "GET" else 404)
    assert snapshot() == before
    if scope == "manage" and routes.body_for(route, world) is not None:
        assert other(route.method, route.path(world), {"bad": 1}).status_code == 404


@inside_an_account
def test_it_looks_like_one_that_does_not_exist(world: World, route: Route) -> None:
    other = caller(world, account=world.cast.elsewhere)
    body = routes.body_for(route, world)
    answers = [
        other(route.method, route.path(world, handle=handle), body) for handle in ("team-red", "nowhere")
    ]
    assert answers[0].status_code == answers[1].status_code == 404
    assert answers[0].content == answers[1].content


def test_lists_hold_the_one_account(world: World) -> None:
    whole, only = caller(world), caller(world, account=world.cast.account)
    other = caller(world, account=world.cast.elsewhere)
    handles = [
        {each["handle"] for each in who.get("accounts/").json()["results"]} for who in (whole, only, other)
    ]
    assert handles == [{"team-red", "elsewhere"}, {"team-red"}, {"elsewhere"}]
    found = [len(who.get("search/?q=app").json()["results"]) for who in (whole, only, other)]
    assert found[0] == found[1] > 0
    assert found[2] == 0


def test_it_sees_and_revokes_only_tokens_of_the_same_account(world: World) -> None:
    person = world.cast.owner
    ApiToken.objects.filter(person=person).delete()
    kinds = (None, world.cast.account, world.cast.elsewhere)
    texts = [token_of(person, account=account) for account in kinds]
    everything, red, other = ApiToken.objects.filter(person=person).order_by("pk")
    assert len(Caller(texts[0]).get("me/tokens/").json()["results"]) == 3
    assert [each["id"] for each in Caller(texts[1]).get("me/tokens/").json()["results"]] == [red.pk]
    assert Caller(texts[1]).delete(f"me/tokens/{everything.pk}/").status_code == 404
    assert Caller(texts[1]).delete(f"me/tokens/{red.pk}/").status_code == 204
    assert Caller(texts[0]).delete(f"me/tokens/{other.pk}/").status_code == 204


def test_the_sync_speaks_of_the_one_account(world: World) -> None:
    assert caller(world, account=world.cast.elsewhere).get("sync/").status_code == 200


def test_a_member_who_left_reaches_nothing_with_it(world: World) -> None:
    only = caller(world, account=world.cast.elsewhere)
    assert only.get("accounts/elsewhere/").status_code == 200
    Member.objects.filter(account=world.cast.elsewhere, person=world.cast.owner).delete()
    assert only.get("accounts/elsewhere/").status_code == 404
    assert only.get("accounts/").json()["results"] == []


def test_me_says_what_the_token_may(world: World) -> None:
    only = caller(world, scope="read", account=world.cast.account)
    told = only.get("me/").json()["api_token"]
    assert (told["scope"], told["account"], told["as_operator"]) == ("read", "team-red", False)
    assert world.cast.client("owner").get("/api/v1/me/").json()["api_token"] is None
