"""/accounts/{handle}/access/preview/: what a change of access would break."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from namespaces.access import Level
from namespaces.models import Grant, Namespace
from tests import factories
from tests.django.api.caller import fields_of
from tests.django.api.world import World
from tests.django.namespaces.ledger.test_breakage import NOON, entry

PATH = "accounts/team-red/access/preview/"


@pytest.fixture
def grant(world: World) -> Any:
    """Of "CI deploy": write on team, which it used."""
    made = factories.GrantFactory(
        user__account=world.cast.account,
        user__description="CI deploy",
        namespace__name="team",
        level=Level.WRITE,
    )
    entry(made.user, made.namespace, confirmed_count=812)
    entry(made.user, made.namespace, "push", image_name="web", count=4)
    return made


def test_who_would_be_refused(world: World, grant: Grant) -> None:
    answer = world.caller("manager").post(PATH, {"grants": [{"id": grant.pk, "level": None}]})
    assert answer.status_code == 200
    assert answer.json() == {
        "days": 60,
        "callers": 1,
        "refused": 1,
        "confirmed": 1,
        "starts_at": None,
        "results": [
            {
                "kind": "user",
                "username": grant.user.username,
                "description": "CI deploy",
                "callers": 1,
                "pulls": 812,
                "pushes": 0,
                "token_requests": 4,
                "image_count": 2,
                "images": ["team/api", "team/web"],
                "last_at": "2026-03-01T12:00:00Z",
            }
        ],
    }
    assert Grant.objects.filter(pk=grant.pk).exists()


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, 0),
        ({"level": "read"}, 1),
        ({"level": "admin"}, 0),
        ({"blocked_users": True}, 1),
        ({"private_namespaces": ["team"]}, 0),
        ({"deleted_namespaces": ["team"]}, 1),
        ({"close_account": True}, 1),
        ({"close_account": False}, 0),
    ],
)
def test_each_change_is_replayed(world: World, grant: Grant, body: dict[str, Any], refused: int) -> None:
    if "level" in body:
        body = {"grants": [{"id": grant.pk, **body}]}
    if "blocked_users" in body:
        body = {"blocked_users": [grant.user.username]}
    assert world.caller("owner").post(PATH, body).json()["refused"] == refused


@pytest.mark.parametrize("what", ["grant_ends", "user_ends"])
def test_an_end_is_judged_as_if_it_had_come(world: World, grant: Grant, what: str) -> None:
    of: dict[str, Any] = {"grant_ends": {"id": grant.pk}, "user_ends": {"username": grant.user.username}}[
        what
    ]
    type(grant.user).objects.update(expires_at=None)

    def answer(end: Any, **more: Any) -> tuple[int, Any]:
        found = world.caller("owner").post(PATH, {what: [{**of, "expires_at": end}], **more}).json()
        return found["refused"], found["starts_at"]

    assert answer("2030-05-05T12:00:00Z") == (1, "2030-05-05T12:00:00Z")
    assert answer(None) == (0, None)
    assert answer("2030-05-05T12:00:00Z", deleted_namespaces=["team"]) == (1, None)
    Grant.objects.update(expires_at=timezone.now() + timedelta(days=1))
    type(grant.user).objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert answer("2030-05-05T12:00:00Z") == (0, None)


def test_callers_who_are_nobody_of_ours_are_counted(world: World, grant: Grant) -> None:
    Namespace.objects.filter(name="team").update(public=True)
    entry(None, grant.namespace)
    entry(factories.RegistryUserFactory(), grant.namespace)
    results = world.caller("owner").post(PATH, {"private_namespaces": ["team"]}).json()["results"]
    assert sorted((each["kind"], each["username"]) for each in results) == [
        ("anonymous", ""),
        ("other_accounts", ""),
    ]


def test_a_permission_that_has_ended_breaks_nothing(world: World, grant: Grant) -> None:
    Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now() - timedelta(days=1))
    body = {"grants": [{"id": grant.pk, "level": "read"}]}
    assert world.caller("owner").post(PATH, body).json()["refused"] == 0
    assert grant.created_at > NOON


def test_what_is_not_in_the_account_is_absent(world: World) -> None:
    theirs = factories.GrantFactory(namespace__name="theirs")
    for body in (
        {"grants": [{"id": theirs.pk, "level": "read"}]},
        {"blocked_users": [theirs.user.username]},
        {"private_namespaces": ["theirs"]},
        {"deleted_namespaces": ["nowhere"]},
        {"grant_ends": [{"id": theirs.pk, "expires_at": None}]},
        {"user_ends": [{"username": theirs.user.username, "expires_at": None}]},
        {"grants": [{"id": 1, "level": "none"}]},
        {"grants": [{"id": 2**63, "level": "read"}]},
        {"private_namespaces": ["x"] * 501},
    ):
        answer = world.caller("owner").post(PATH, body)
        assert (answer.status_code, list(fields_of(answer))) == (400, list(body))
