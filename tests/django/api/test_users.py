"""/accounts/{handle}/users/…"""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.credentials import digests
from accounts.models import AuditEvent, RegistryUser, Secret
from accounts.peppers import peppers
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import World, caller_of

USERS = "accounts/team-red/users/"
SHOWN = {
    "username", "description", "state", "created_at", "expires_at", "expires_soon", "disabled_at",
    "last_used_at", "last_used_ip", "last_used_client",
}  # fmt: skip


def test_the_password_is_told_once_and_is_the_stored_one(cast: Cast) -> None:
    caller = caller_of(cast, "manager")
    response = caller.post(USERS, {"description": "CI deploy"})
    assert response.status_code == 201
    made = response.json()
    assert set(made) == SHOWN | {"password", "registry_host"}
    assert made["registry_host"] == settings.REGISTRY_HOST
    assert Secret.objects.filter(
        user__username=made["username"], digest__in=digests(made["password"], peppers())
    ).exists()
    for path in (USERS, f"{USERS}{made['username']}/", "accounts/team-red/activity/"):
        later = caller.get(path).content.decode()
        assert made["password"] not in later
        assert made["password"][4:36] not in later
    assert made["password"] not in str(list(AuditEvent.objects.values()))


def test_a_new_password_stops_the_old_one(world: World) -> None:
    response = world.caller("owner").post(f"{USERS}{world.user.username}/password/")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    fresh = response.json()["password"]
    secrets = Secret.objects.live(timezone.now()).filter(user=world.user)
    assert secrets.filter(digest__in=digests(fresh, peppers())).count() == secrets.count() == 1
    assert not secrets.filter(digest__in=digests(world.user.password, peppers())).exists()


def test_it_ends_in_90_days_unless_somebody_says_otherwise(cast: Cast) -> None:
    caller, before = caller_of(cast, "owner"), timezone.now()
    told = caller.post(USERS, {"description": "CI"}).json()["expires_at"]
    ends = datetime.fromisoformat(told)
    assert before <= ends - timedelta(days=90) <= timezone.now()
    assert caller.post(USERS, {"description": "CI", "expires_at": None}).json()["expires_at"] is None


def test_the_trail_is_the_same_as_the_pages_write(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    username = caller.post(USERS, {"description": "CI deploy", "expires_at": None}).json()["username"]
    cast.client("owner").post(
        "/a/team-red/users/new/", {"description": "CI deploy", "expiry": "never", "once": "a mark"}
    )
    by_api, by_page = AuditEvent.objects.filter(action="user.created").order_by("id")
    assert by_api.object_id == username
    for name in (
        "account_id",
        "actor_kind",
        "actor_id",
        "actor",
        "address",
        "object_kind",
        "before",
        "after",
    ):
        assert getattr(by_api, name) == getattr(by_page, name), name


def test_times_are_utc_with_z(cast: Cast) -> None:
    moment = datetime(2199, 1, 2, 3, 4, 5, tzinfo=UTC)
    caller = caller_of(cast, "owner")
    for given in ("2199-01-02T03:04:05Z", "2199-01-02T05:04:05+02:00", "2199-01-02T03:04:05"):
        made = caller.post(USERS, {"description": "CI", "expires_at": given}).json()
        assert made["expires_at"] == "2199-01-02T03:04:05Z"
        assert made["created_at"].endswith("Z")
    assert set(RegistryUser.objects.values_list("expires_at", flat=True)) == {moment}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "description"),
        ({"description": " "}, "description"),
        ({"description": "x" * 101}, "description"),
        ({"description": "CI", "expires_at": "tomorrow"}, "expires_at"),
        ({"description": "CI", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"description": "CI", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"description": "CI", "expires_at": "9999-12-31T00:00:00Z"}, "expires_at"),
        ({"description": "CI", "expires_at": "9999-12-31"}, "expires_at"),
        ({"description": "CI", "expires_at": "0001-01-01"}, "expires_at"),
        ({"description": "CI", "expires_at": 10**30}, "expires_at"),
        ({"description": "CI", "username": "root"}, "username"),
        ({"description": "CI", "password": "known"}, "password"),
        ({"description": "CI", "account": "elsewhere"}, "account"),
    ],
)
def test_a_bad_user_is_not_made(cast: Cast, body: dict[str, object], field: str) -> None:
    response = caller_of(cast, "owner").post(USERS, body)
    assert response.status_code == 400
    assert fields_of(response) == {field}
    assert not RegistryUser.objects.exists()


def test_editing_keeps_what_is_not_given(cast: Cast) -> None:
    soon = timezone.now() + timedelta(days=1)
    user = factories.RegistryUserFactory(account=cast.account, description="CI", expires_at=soon)
    caller, path = caller_of(cast, "owner"), f"{USERS}{user.username}/"
    assert caller.patch(path, {"description": "Build"}).status_code == 200
    user.refresh_from_db()
    assert (user.description, user.expires_at) == ("Build", soon)
    assert caller.patch(path, {"expires_at": None}).json()["expires_at"] is None
    user.refresh_from_db()
    assert (user.description, user.expires_at) == ("Build", None)


def test_disabling_and_enabling(world: World) -> None:
    caller, path = world.caller("owner"), f"{USERS}{world.user.username}/"
    assert caller.post(f"{path}disable/").json()["state"] == "disabled"
    assert caller.get(path).json()["disabled_at"].endswith("Z")
    assert caller.post(f"{path}enable/").json()["state"] == "active"
    assert caller.get(path).json()["disabled_at"] is None


def test_deleting(world: World) -> None:
    caller, path = world.caller("owner"), f"{USERS}{world.user.username}/"
    assert caller.get(path).status_code == 200
    assert caller.delete(path).status_code == 204
    assert caller.get(path).status_code == 404
    assert AuditEvent.objects.filter(action="user.deleted", object_id=world.user.username).exists()


def test_the_list_is_ones_own_and_searchable(world: World) -> None:
    other = factories.RegistryUserFactory(account=world.cast.elsewhere, description="CI deploy")
    caller = world.caller("viewer")
    assert other.username not in caller.get(USERS).content.decode()
    (found,) = caller.get(f"{USERS}?search=ci+dep").json()["results"]
    assert found["username"] == world.user.username
    assert set(found) == SHOWN


def test_pages_go_forth_and_back_and_keep_the_search(cast: Cast) -> None:
    factories.RegistryUserFactory.create_batch(55, account=cast.account, description="CI deploy")
    factories.RegistryUserFactory.create_batch(5, account=cast.account, description="Laptop")
    caller = caller_of(cast, "viewer")
    first = caller.get(f"{USERS}?search=ci+dep").json()
    second = caller.get(first["next"].partition("/api/v1/")[2]).json()
    again = caller.get(second["previous"].partition("/api/v1/")[2]).json()
    assert (len(first["results"]), len(second["results"])) == (50, 5)
    assert again["results"] == first["results"]
    assert again["previous"] is second["next"] is None
