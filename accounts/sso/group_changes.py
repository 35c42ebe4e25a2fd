"""What a person's groups change in their memberships. PURE.

A membership has what was given by hand and what groups give; the greater of the two is the role. Groups change only
what groups gave.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.roles import Role

_ORDER: Final = (Role.VIEWER, Role.MANAGER, Role.OWNER)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Who is in `group` has `role` in `account` (a primary key)."""

    group: str
    account: int
    role: Role


@dataclass(frozen=True, slots=True)
class Held:
    """A membership as it is. None: nothing given by hand, or by groups; one of the two is not None."""

    by_hand: Role | None
    by_group: Role | None

    @property
    def role(self) -> Role:
        found = greatest(self.by_hand, self.by_group)
        assert found
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """In `account`: from `before` to `after`; None is no membership. `by_group` is what groups give from now on.

    `kept`: the groups give less, but the person is the last owner, and stays it.
    """

    account: int
    before: Role | None
    after: Role | None
    by_group: Role | None
    kept: bool = False


def greatest(*roles: Role | None) -> Role | None:
    given = [each for each in roles if each]
    return max(given, key=_ORDER.index) if given else None


def given_by_groups(groups: Collection[str], rules: Iterable[GroupRule]) -> dict[int, Role]:
    """Return the greatest role that the groups give in each account."""
    found: dict[int, Role] = {}
    for rule in rules:
        if rule.group in groups:
            found[rule.account] = max(found.get(rule.account, rule.role), rule.role, key=_ORDER.index)
    return found


def changes(
    held: Mapping[int, Held], given: Mapping[int, Role], *, last_owner_of: Collection[int]
) -> list[Change]:
    """Return what differs, by account. `last_owner_of`: accounts whose only owner the person is."""
    found = []
    for account in sorted({*held, *given}):
        now, by_group = held.get(account), given.get(account)
        before = now.role if now else None
        after = greatest(now.by_hand if now else None, by_group)
        if before is Role.OWNER and after is not Role.OWNER and account in last_owner_of:
            found.append(Change(account, before, before, now.by_group if now else None, kept=True))
        elif before != after or (now and now.by_group != by_group):
            found.append(Change(account, before, after, by_group))
    return found
