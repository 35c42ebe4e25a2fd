"""/accounts/{handle}/namespaces/{ns}/images/… and who reaches them."""

import pytest

from namespaces.access import Level
from tests import factories
from tests.django.api.world import World

IMAGES = "accounts/team-red/namespaces/red/images/"


def test_the_list_and_the_image_tell_the_same(world: World) -> None:
    caller = world.caller("viewer")
    (shown,) = caller.get(IMAGES).json()["results"]
    more = {"readme": "", "pushed_description": ""}
    assert shown | more == caller.get(f"{IMAGES}app/api/").json()
    assert (shown["name"], shown["namespace"], shown["repository"]) == ("app/api", "red", "red/app/api")
    assert (shown["tag_count"], shown["latest_tag"], shown["size_bytes"]) == (1, "1.0", 1_000_000)
    assert shown["pushed_at"].endswith("Z")


def test_other_namespaces_are_not_listed(world: World) -> None:
    factories.TagFactory(image__namespace=world.empty, image__name="other")
    factories.TagFactory(image__namespace__account=world.cast.elsewhere, image__name="other")
    assert [each["name"] for each in world.caller("viewer").get(IMAGES).json()["results"]] == ["app/api"]


def test_all_of_an_account(world: World) -> None:
    factories.TagFactory(image__namespace=world.empty, image__name="other")
    factories.TagFactory(image__namespace__account=world.cast.elsewhere, image__name="theirs")
    caller = world.caller("viewer")
    found = caller.get("accounts/team-red/images/").json()["results"]
    assert {each["repository"] for each in found} == {"red/app/api", "empty/other"}
    found = caller.get("accounts/team-red/images/?search=empty").json()["results"]
    assert [each["repository"] for each in found] == ["empty/other"]


@pytest.mark.parametrize(("search", "found"), [("API", 1), ("app/a", 1), ("zzz", 0)])
def test_searching(world: World, search: str, found: int) -> None:
    body = world.caller("viewer").get(f"{IMAGES}?search={search}").json()
    assert len(body["results"]) == found


@pytest.mark.parametrize("name", ["app", "api", "app/api/x", "App/api", "app/api/-"])
def test_another_name_is_absent(world: World, name: str) -> None:
    caller = world.caller("viewer")
    assert caller.get(f"{IMAGES}app/api/").status_code == 200
    assert caller.get(f"{IMAGES}{name}/").status_code == 404


def test_the_names_of_an_image_and_of_one_below_it_are_kept_apart(world: World) -> None:
    factories.TagFactory(image__namespace=world.namespace, image__name="app", name="2.0")
    caller = world.caller("viewer")
    assert caller.get(f"{IMAGES}app/-/tags/").json()["results"][0]["name"] == "2.0"
    assert caller.get(f"{IMAGES}app/api/-/tags/").json()["results"][0]["name"] == "1.0"


def test_who_may_do_what_and_through_which_grant(world: World) -> None:
    on_image = factories.GrantFactory(
        user=world.user, namespace=world.namespace, image_name="app/api", level=Level.WRITE
    )
    factories.GrantFactory(user=world.free_user, namespace=world.namespace, image_name="other")
    shown = world.caller("viewer").get(f"{IMAGES}app/api/-/access/").json()
    assert shown["public"] is False
    (reach,) = shown["users"]
    assert (reach["username"], reach["level"], reach["can_pull"]) == (world.user.username, "write", True)
    assert reach["reason"] == "write on the image"
    assert [(each["id"], each["image"], each["level"]) for each in reach["grants"]] == [
        (on_image.pk, "app/api", "write"),
        (world.grant.pk, "", "read"),
    ]


def test_an_image_that_is_not_pushed_yet_has_its_access_too(world: World) -> None:
    caller = world.caller("viewer")
    assert [each["level"] for each in caller.get(f"{IMAGES}new/app/-/access/").json()["users"]] == ["read"]
    assert caller.get(f"{IMAGES}New/-/access/").status_code == 404
    assert caller.get(f"{IMAGES}new/app/").status_code == 404
