"""/accounts/{handle}/limits/"""

from typing import Any

import pytest

from tests.cast import MEMBERS, OUTSIDERS
from tests.django.api.world import World

LIMITS = "accounts/team-red/limits/"


@pytest.mark.parametrize("who", MEMBERS)
def test_members_read_what_the_account_holds_and_may_hold(world: World, settings: Any, who: str) -> None:
    settings.MAX_USERS_PER_ACCOUNT, settings.MAX_GRANTS_PER_ACCOUNT = 2000, 0
    assert world.caller(who).get(LIMITS).json() == {
        "namespaces": {"used": 2, "limit": 100},
        "users": {"used": 2, "limit": 2000},
        "grants": {"used": 1, "limit": None},
        "members": {"used": 3, "limit": 200},
        "invitations": {"used": 1, "limit": 100},
        "retention_rules": {"used": 1, "limit": 500},
    }


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_else_does(world: World, who: str) -> None:
    assert world.caller(who).get(LIMITS).status_code == (401 if who == "anonymous" else 404)


def test_it_takes_nothing(world: World) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert world.caller("owner")(method, LIMITS, {"users": 5}).status_code == 405
