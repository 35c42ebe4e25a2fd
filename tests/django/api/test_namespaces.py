"""/accounts/{handle}/namespaces/…"""

import pytest

from accounts.models import AuditEvent
from namespaces.models import Grant, Namespace
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import error_of, fields_of
from tests.django.api.world import World, caller_of

NAMESPACES = "accounts/team-red/namespaces/"


def test_creating_and_reading(cast: Cast) -> None:
    caller = caller_of(cast, "manager")
    made = caller.post(NAMESPACES, {"name": "team.red_1"})
    assert made.status_code == 201
    assert set(made.json()) == {
        "name", "public", "usage_bytes", "untagged_bytes", "uncollected_bytes", "description", "created_at",
    }  # fmt: skip
    assert caller.get(f"{NAMESPACES}team.red_1/").json() == made.json() | {"readme": ""}
    assert Namespace.objects.get().account == cast.account
    assert AuditEvent.objects.get(action="namespace.created").actor == "manager@example.com"


@pytest.mark.parametrize(
    "name",
    [
        *("Red", "réd", "r\u0435d", "red\u200b", "red.", "-red", "re..d", "a/b", "../a", "x" * 61),
        *"library v2 _catalog _ admin api static token auth www root system null docker".split(),
    ],
)
def test_a_bad_or_reserved_name_is_refused(cast: Cast, name: str) -> None:
    response = caller_of(cast, "owner").post(NAMESPACES, {"name": name})
    assert response.status_code == 400
    assert fields_of(response) == {"name"}
    assert not Namespace.objects.exists()


def test_a_taken_name_is_a_conflict_whoever_has_it(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    factories.NamespaceFactory(account=cast.account, name="ours")
    errors = [
        error_of(caller_of(cast, "owner").post(NAMESPACES, {"name": name})) for name in ("theirs", "ours")
    ]
    assert errors[0] == errors[1]
    assert errors[0]["code"] == "conflict"


def test_publishing(world: World) -> None:
    caller, path = world.caller("owner"), f"{NAMESPACES}red/"
    assert caller.patch(path, {"public": True}).json()["public"] is True
    assert caller.get(path).json()["public"] is True
    assert caller.patch(path, {"public": False}).json()["public"] is False
    assert [each.action for each in AuditEvent.objects.filter(object_kind="namespace").order_by("id")] == [
        "namespace.published",
        "namespace.unpublished",
    ]
    assert caller.patch(path, {}).status_code == 400
    assert caller.patch(path, {"public": "perhaps"}).status_code == 400


def test_only_an_empty_namespace_with_its_name_typed_goes(world: World) -> None:
    caller = world.caller("owner")
    assert caller.delete(f"{NAMESPACES}red/", {"confirmation": "red"}).status_code == 409
    assert caller.delete(f"{NAMESPACES}empty/", {"confirmation": "red"}).status_code == 400
    assert caller.delete(f"{NAMESPACES}empty/").status_code == 400
    assert Namespace.objects.count() == 2
    assert caller.delete(f"{NAMESPACES}empty/", {"confirmation": "empty"}).status_code == 204
    other = world.caller("stranger").post("accounts/elsewhere/namespaces/", {"name": "empty"})
    assert other.status_code == 409
    assert caller.post(NAMESPACES, {"name": "empty"}).status_code == 201


def test_the_list_is_ones_own_and_searchable(world: World) -> None:
    factories.NamespaceFactory(account=world.cast.elsewhere, name="redder")
    caller = world.caller("viewer")
    assert [each["name"] for each in caller.get(NAMESPACES).json()["results"]] == ["empty", "red"]
    assert [each["name"] for each in caller.get(f"{NAMESPACES}?search=RE").json()["results"]] == ["red"]


def test_a_stranger_does_not_even_see_a_public_one(world: World) -> None:
    Namespace.objects.update(public=True)
    assert world.caller("viewer").get(f"{NAMESPACES}red/").status_code == 200
    assert world.caller("stranger").get(f"{NAMESPACES}red/").status_code == 404
    assert Grant.objects.count() == 1
