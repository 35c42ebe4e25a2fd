"""Who may invite as what."""

import pytest

from accounts.roles import TABLE, Act, Role, inviters, refusal


@pytest.mark.parametrize("role", Role)
def test_owners_invite_as_anything_and_others_invite_nobody(role: Role) -> None:
    assert inviters(role) == {Role.OWNER}


def test_nobody_gives_what_they_do_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were managers to invite, they would not make owners."""
    monkeypatch.setitem(TABLE, Role.MANAGER, TABLE[Role.MANAGER] | {Act.MEMBERS_MANAGE})
    found = {role: inviters(role) for role in Role}
    assert found[Role.OWNER] == {Role.OWNER}
    assert found[Role.MANAGER] == found[Role.VIEWER] == {Role.OWNER, Role.MANAGER}


def test_a_refusal_names_the_role_and_who_could() -> None:
    assert refusal(Role.VIEWER, Act.IMAGES_REMOVE).endswith("that takes the role of owner or manager.")
    assert refusal(Role.MANAGER, Act.ACCOUNT_CLOSE).endswith("that takes the role of owner.")
    assert "As a viewer" in refusal(Role.VIEWER, Act.IMAGES_REMOVE)
