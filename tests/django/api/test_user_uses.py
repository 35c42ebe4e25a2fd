"""/accounts/{handle}/users/{username}/uses/ and …/smallest-grants/."""

from typing import Any

import pytest

from namespaces.access import Level
from namespaces.models import Grant
from tests import factories
from tests.django.api.world import World
from tests.django.namespaces.ledger.test_breakage import entry


@pytest.fixture
def user(world: World) -> Any:
    """May write to all of team; pulled team/api, and asked for team/web."""
    team = factories.NamespaceFactory(account=world.cast.account, name="team")
    user = factories.RegistryUserFactory(account=world.cast.account)
    factories.GrantFactory(user=user, namespace=team, level=Level.WRITE)
    entry(
        user,
        team,
        confirmed_count=812,
        secret=7,
        networks="10.0.0.0/24",
        address="10.0.0.5",
        client="docker/27.5",
    )
    entry(user, team, image_name="web", count=33)
    return user


def path(user: Any, what: str) -> str:
    return f"accounts/team-red/users/{user.username}/{what}/"


def test_what_a_user_did(world: World, user: Any) -> None:
    caller = world.caller("viewer")
    rows = caller.get(path(user, "uses")).json()["results"]
    assert [row["image"] for row in rows] == ["web", "api"]
    assert rows[1] == {
        "namespace": "team",
        "image": "api",
        "action": "pull",
        "password_id": 7,
        "token_count": 1,
        "use_count": 812,
        "first_at": "2026-03-01T12:00:00Z",
        "last_at": "2026-03-01T12:00:00Z",
        "last_used_at": "2026-03-01T12:00:00Z",
        "networks": ["10.0.0.0/24"],
        "client_ip": "10.0.0.5",
        "client": "docker/27.5",
    }
    for query in ("password=7", "search=am/ap", "search=api"):
        found = caller.get(f"{path(user, 'uses')}?{query}").json()["results"]
        assert [row["image"] for row in found] == ([] if "/" in query else ["api"])
    assert caller.get(f"{path(user, 'uses')}?password=x").status_code == 400


def test_the_smallest_grants_are_proposed_and_made(world: World, user: Any) -> None:
    caller = world.caller("manager")
    proposed = caller.get(path(user, "smallest-grants")).json()
    assert proposed["used"] is True
    assert proposed["changes"] == [
        {"namespace": "team", "image": "", "before": {"level": "write", "expires_at": None}, "after": None},
        {"namespace": "team", "image": "api", "before": None, "after": {"level": "read", "expires_at": None}},
    ]
    assert (proposed["breaks"]["refused"], proposed["breaks"]["confirmed"]) == (1, 0)
    assert caller.post(path(user, "smallest-grants"), {"proposal_digest": "other"}).status_code == 409
    made = caller.post(path(user, "smallest-grants"), {"proposal_digest": proposed["proposal_digest"]}).json()
    assert made["changes"] == []
    grant = Grant.objects.get(user=user)
    assert (grant.image_name, grant.level) == ("api", Level.READ)
