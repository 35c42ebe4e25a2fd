"""Who may invite as what."""

import pytest

from accounts.roles import PERMISSIONS, Permission, Role, denial_text, roles_that_may_invite


@pytest.mark.parametrize("role", Role)
def test_owners_invite_as_anything_and_others_invite_nobody(role: Role) -> None:
    assert roles_that_may_invite(role) == {Role.OWNER}


def test_nobody_gives_what_they_do_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were managers to invite, they would not make owners."""
    monkeypatch.setitem(PERMISSIONS, Role.MANAGER, PERMISSIONS[Role.MANAGER] | {Permission.MEMBERS_MANAGE})
    found = {role: roles_that_may_invite(role) for role in Role}
    assert found[Role.OWNER] == {Role.OWNER}
    assert found[Role.MANAGER] == found[Role.VIEWER] == {Role.OWNER, Role.MANAGER}


def test_every_permission_that_a_role_lacks_has_a_text() -> None:
    lacked = {each for each in Permission if any(each not in held for held in PERMISSIONS.values())}
    for permission in lacked:
        managers_too = permission in PERMISSIONS[Role.MANAGER]
        assert denial_text(permission).startswith("Viewers can’t" if managers_too else "Only owners can")
