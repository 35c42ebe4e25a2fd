"""What groups change, and what they never do."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.roles import Role
from accounts.sso.group_changes import Change, GroupRule, Held, changes, given_by_groups, greatest

ORDER = [None, Role.VIEWER, Role.MANAGER, Role.OWNER]
ROLES = st.sampled_from(list(Role))
ACCOUNTS = st.integers(1, 4)
GROUPS = st.sets(st.sampled_from("abcd"))
RULES = st.lists(st.builds(GroupRule, st.sampled_from("abcd"), ACCOUNTS, ROLES))
HELD = st.dictionaries(
    ACCOUNTS,
    st.tuples(st.none() | ROLES, st.none() | ROLES).filter(any).map(lambda pair: Held(*pair)),
)


def test_a_group_gives_takes_and_leaves_alone() -> None:
    rules = [
        GroupRule("dev", 1, Role.MANAGER),
        GroupRule("all", 1, Role.VIEWER),
        GroupRule("dev", 2, Role.VIEWER),
    ]
    given = given_by_groups({"dev", "all"}, rules)
    assert given == {1: Role.MANAGER, 2: Role.VIEWER}
    assert changes({}, given, last_owner_of=()) == [
        Change(1, None, Role.MANAGER, Role.MANAGER),
        Change(2, None, Role.VIEWER, Role.VIEWER),
    ]
    assert changes({1: Held(None, Role.MANAGER)}, {}, last_owner_of=()) == [
        Change(1, Role.MANAGER, None, None)
    ]
    assert changes({1: Held(Role.VIEWER, None)}, {1: Role.MANAGER}, last_owner_of=()) == [
        Change(1, Role.VIEWER, Role.MANAGER, Role.MANAGER)
    ]
    assert changes({1: Held(Role.VIEWER, Role.MANAGER)}, {}, last_owner_of=()) == [
        Change(1, Role.MANAGER, Role.VIEWER, None)
    ]
    assert changes({1: Held(Role.OWNER, None)}, {}, last_owner_of=()) == []


def test_the_last_owner_stays() -> None:
    held = {1: Held(None, Role.OWNER)}
    kept = Change(1, Role.OWNER, Role.OWNER, Role.OWNER, kept=True)
    assert changes(held, {}, last_owner_of={1}) == [kept]
    assert changes(held, {1: Role.VIEWER}, last_owner_of={1}) == [kept]
    assert changes(held, {}, last_owner_of={2}) == [Change(1, Role.OWNER, None, None)]


def test_the_greatest() -> None:
    assert greatest() is None
    assert greatest(None, Role.VIEWER, Role.OWNER, Role.MANAGER) is Role.OWNER


@given(HELD, GROUPS, RULES, st.sets(ACCOUNTS))
def test_laws(held: dict[int, Held], groups: set[str], rules: list[GroupRule], last: set[int]) -> None:
    given_now = given_by_groups(groups, rules)
    found = {each.account: each for each in changes(held, given_now, last_owner_of=last)}
    after: dict[int, Held] = {}
    for account in {*held, *given_now}:
        before, change = held.get(account), found.get(account)
        if change and not change.kept:
            role, by_group = change.after, change.by_group
        else:
            role, by_group = (before.role, before.by_group) if before else (None, None)
        by_hand = before.by_hand if before else None
        # What was given by hand is never lowered or ended.
        assert ORDER.index(role) >= ORDER.index(by_hand)
        # A last owner stays one.
        if before and before.role is Role.OWNER and account in last:
            assert role is Role.OWNER
        # What groups give is there; nothing beyond hand and groups is, but for a last owner.
        assert ORDER.index(role) >= ORDER.index(given_now.get(account))
        if not (change and change.kept):
            assert role == greatest(by_hand, given_now.get(account))
            if role:
                after[account] = Held(by_hand, by_group)
    # Doing it twice changes nothing more.
    again = {account: role for account, role in given_now.items() if account in after}
    assert changes(after, again, last_owner_of=()) == []
