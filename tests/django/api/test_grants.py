"""/accounts/{handle}/grants/…"""

import pytest

from accounts.models import AuditEvent
from namespaces.access import Level
from namespaces.models import Grant
from tests import factories
from tests.django.api.caller import error_of, fields_of
from tests.django.api.world import World

GRANTS = "accounts/team-red/grants/"


def test_giving_changing_and_taking(world: World) -> None:
    caller, who = world.caller("manager"), world.free_user.username
    made = caller.post(GRANTS, {"user": who, "namespace": "red", "image": "app/api", "level": "write"})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["user"], shown["namespace"], shown["image"], shown["level"]) == (
        who,
        "red",
        "app/api",
        "write",
    )
    grant = Grant.objects.get(pk=shown["id"])
    assert (grant.user, grant.namespace, grant.level) == (world.free_user, world.namespace, Level.WRITE)
    path = f"{GRANTS}{grant.pk}/"
    assert caller.patch(path, {"level": "admin"}).json()["level"] == "admin"
    assert caller.delete(path).status_code == 204
    assert caller.delete(path).status_code == 404
    trail = AuditEvent.objects.filter(object_kind="grant", object_id=str(grant.pk)).order_by("id")
    assert [(each.action, each.actor) for each in trail] == [
        ("grant.given", "manager@example.com"),
        ("grant.changed", "manager@example.com"),
        ("grant.removed", "manager@example.com"),
    ]


def test_an_end_is_given_changed_and_taken_away(world: World) -> None:
    caller, who = world.caller("manager"), world.free_user.username
    body = {"user": who, "namespace": "red", "level": "write", "expires_at": "2100-05-05"}
    made = caller.post(GRANTS, body).json()
    assert made["expires_at"] == "2100-05-06T00:00:00Z"
    path = f"{GRANTS}{made['id']}/"
    assert caller.patch(path, {"level": "read"}).json()["expires_at"] == made["expires_at"]
    moved = caller.patch(path, {"expires_at": "2101-01-01T12:00:00Z"}).json()
    assert (moved["level"], moved["expires_at"]) == ("read", "2101-01-01T12:00:00Z")
    assert caller.patch(path, {"expires_at": None}).json()["expires_at"] is None
    for bad in ("2000-01-01", "soon", "9999-12-31"):
        assert fields_of(caller.patch(path, {"expires_at": bad})) == {"expires_at"}
        assert fields_of(caller.post(GRANTS, body | {"image": "app", "expires_at": bad})) == {"expires_at"}


def test_an_image_may_be_granted_before_it_is_pushed(world: World) -> None:
    body = {"user": world.free_user.username, "namespace": "red", "image": "new/app", "level": "read"}
    assert world.caller("owner").post(GRANTS, body).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"level": "none"}, 400, "level"),
        ({"level": 3}, 400, "level"),
        ({"level": "ADMIN"}, 400, "level"),
        ({"image": "Bad Name"}, 400, "image"),
        ({"image": "a/../b"}, 400, "image"),
        ({"image": "a" * 201}, 400, "image"),
        ({"user": None}, 400, "user"),
        ({"role": "owner"}, 400, "role"),
        ({"image_name": "app"}, 400, "image_name"),
        ({"user": "nobodysname0"}, 404, ""),
        ({"namespace": "nowhere"}, 404, ""),
    ],
)
def test_a_bad_grant_is_not_given(world: World, change: dict[str, object], status: int, field: str) -> None:
    body = {"user": world.free_user.username, "namespace": "red", "level": "read"} | change
    response = world.caller("owner").post(GRANTS, body)
    assert response.status_code == status
    assert fields_of(response) == ({field} if field else set())
    assert Grant.objects.count() == 1


def test_a_second_grant_on_the_same_is_a_conflict(world: World) -> None:
    body = {"user": world.user.username, "namespace": "red", "level": "admin"}
    error = error_of(world.caller("owner").post(GRANTS, body))
    assert (error["code"], set(error["fields"])) == ("conflict", {"user"})
    assert Grant.objects.get().level == Level.READ


def test_users_and_namespaces_of_others_cannot_be_named(world: World) -> None:
    cast = world.cast
    theirs = factories.NamespaceFactory(account=cast.elsewhere, name="theirs", public=True)
    spy = factories.RegistryUserFactory(account=cast.elsewhere)
    tries = [
        ("owner", "team-red", world.free_user.username, theirs.name),
        ("owner", "team-red", spy.username, "red"),
        ("stranger", "elsewhere", spy.username, "red"),
        ("stranger", "elsewhere", world.free_user.username, theirs.name),
    ]
    for who, handle, user, namespace in tries:
        body = {"user": user, "namespace": namespace, "level": "read"}
        assert world.caller(who).post(f"accounts/{handle}/grants/", body).status_code == 404
    assert Grant.objects.count() == 1


def test_filtering_by_user_namespace_and_image(world: World) -> None:
    other = factories.GrantFactory(user=world.free_user, namespace=world.empty, image_name="not/pushed")
    factories.GrantFactory(user__account=world.cast.elsewhere)
    caller = world.caller("viewer")
    for query, found in [
        ("", {world.grant.pk, other.pk}),
        (f"?user={world.user.username}", {world.grant.pk}),
        ("?namespace=empty", {other.pk}),
        (f"?user={world.user.username}&namespace=empty", set()),
        ("?user=w", set()),
        ("?image=not/pushed", {other.pk}),
        ("?image=not", set()),
    ]:
        assert {each["id"] for each in caller.get(GRANTS + query).json()["results"]} == found


@pytest.mark.parametrize(
    "query", ["level=3", "user__secrets__digest=a", "user_id=1", "search=a", "namespace__public=1"]
)
def test_no_other_filter_is_known(world: World, query: str) -> None:
    response = world.caller("viewer").get(f"{GRANTS}?{query}")
    assert response.status_code == 400
    assert fields_of(response) == {query.partition("=")[0]}
