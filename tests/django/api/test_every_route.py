"""What holds for each route of the API, whoever adds it."""

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.api.permissions import IsPerson
from tests.cast import Cast
from tests.django.api import routes
from tests.django.api.caller import error_of, fields_of
from tests.django.api.routes import Route
from tests.django.api.world import World, snapshot

every_route = pytest.mark.parametrize("route", routes.every(), ids=str)
inside_an_account = pytest.mark.parametrize(
    "route", [each for each in routes.every() if each.arguments], ids=str
)
deeper = pytest.mark.parametrize(
    "route",
    [each for each in routes.every() if each.arguments[:1] == ("handle",) and each.arguments[1:]],
    ids=str,
)
NOT_TO_BE_SET = (
    "id pk account account_id person person_id owner is_staff is_superuser username password digest hint "
    "created_at disabled_at last_used_at state handle user_id namespace_id operator"
).split()
# What the owner cannot do with this world, and the status that says so.
REFUSED_TO_OWNER = {
    "POST api-my-tokens": 403,  # not with a token
    "DELETE api-membership": 403,  # the last owner
    "DELETE api-namespace": 409,  # it holds images
}


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture
def cast(world: World) -> Cast:
    return world.cast


@every_route
def test_nobody_gets_in(world: World, route: Route) -> None:
    before = snapshot()
    response = world.caller("anonymous")(route.method, route.path(world), routes.body_for(route, world))
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer ")
    assert error_of(response)["code"] == "unauthenticated"
    assert snapshot() == before


@every_route
def test_the_owner_succeeds(world: World, route: Route) -> None:
    response = world.caller("owner")(route.method, route.path(world), routes.body_for(route, world))
    assert response.status_code == REFUSED_TO_OWNER.get(str(route), response.status_code)
    assert response.status_code < 300 or str(route) in REFUSED_TO_OWNER
    assert response["Cache-Control"] == "no-store"


@inside_an_account
def test_a_stranger_finds_nothing_and_changes_nothing(world: World, route: Route) -> None:
    caller = world.caller("stranger")
    before = snapshot()
    response = caller(route.method, route.path(world), routes.body_for(route, world))
    assert response.status_code == 404
    assert error_of(response)["message"] == "Not found."
    assert snapshot() == before


@inside_an_account
def test_a_stranger_learns_nothing_from_a_bad_body(world: World, route: Route) -> None:
    caller = world.caller("stranger")
    if routes.body_for(route, world) is not None:
        assert caller(route.method, route.path(world), {"bad": 1}).status_code == 404


@deeper
def test_rows_of_one_account_are_not_reached_through_another(world: World, route: Route) -> None:
    caller, path = world.caller("stranger"), route.path(world, handle=world.cast.elsewhere.handle)
    before = snapshot()
    assert caller(route.method, path, routes.body_for(route, world)).status_code == 404
    assert snapshot() == before


@every_route
def test_unknown_query_parameters_are_refused(world: World, route: Route) -> None:
    caller = world.caller("owner")
    before = snapshot()
    for query in ("ordering=digest", "secrets__digest__startswith=a", "_connector=OR", "page=&page="):
        path = route.path(world)
        asked = f"{path}{'&' if '?' in path else '?'}{query}"
        response = caller(route.method, asked, routes.body_for(route, world))
        expected = 403 if str(route) == "POST api-my-tokens" else 400
        assert response.status_code == expected, query
    assert snapshot() == before


@pytest.mark.parametrize("route", [each for each in routes.every() if each.method != "GET"], ids=str)
def test_unknown_fields_are_refused(world: World, route: Route) -> None:
    if str(route) == "POST api-my-tokens":
        pytest.skip("shut to API tokens; test_tokens.py asks with a session")
    caller, path, body = world.caller("owner"), route.path(world), routes.body_for(route, world) or {}
    before = snapshot()
    for field in NOT_TO_BE_SET:
        response = caller(route.method, path, body | {field: "1"})
        assert response.status_code == 400
        assert field in fields_of(response)
    assert snapshot() == before


def test_every_view_names_a_permission() -> None:
    for name, view, _arguments in routes.views():
        if name in routes.OF_USERS:
            continue
        assert IsPerson in view.permission_classes, name


def test_a_view_that_names_none_refuses(cast: Cast) -> None:
    class Forgetful(APIView):
        def get(self, request: Request) -> Response:
            return Response("leak")

    request = APIRequestFactory().get("/")
    force_authenticate(request, user=cast.owner)
    assert Forgetful.as_view()(request).status_code == 403


def test_every_handler_declares_its_operation() -> None:
    for route in routes.every():
        assert getattr(route.view, route.method.lower()).operation, str(route)


@every_route
def test_other_methods_are_not_allowed(world: World, route: Route) -> None:
    for method in ("PUT", "OPTIONS", "TRACE"):
        response = world.caller("owner")(method, route.path(world))
        assert response.status_code == 405
