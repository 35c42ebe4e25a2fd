"""A bound that many share: a flood costs the one who makes it, and nobody else."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from accounts.common.fair_share import Owner, Shares, gives_way, in_turns

MOST, EACH = 12, 4
OWNERS = st.tuples(st.sampled_from("ABCDE"), st.sampled_from("xyz"))
PUT = st.tuples(OWNERS, st.integers(0, 9))


def filled(puts: list[tuple[Owner, int]]) -> tuple[Shares[int], list[Owner]]:
    """What is held, and whose gave way."""
    shares, gone = Shares[int](most=MOST, each=EACH), []
    for owner, key in puts:
        if dropped := shares.put(owner, key, key):
            gone.append(dropped[0])
    return shares, gone


@given(st.lists(PUT))
def test_both_bounds_hold_and_nothing_goes_uncounted(puts: list[tuple[Owner, int]]) -> None:
    shares, gone = filled(puts)
    held = Counter(owner for owner, _key, _thing in shares.items())
    assert len(shares) == sum(held.values()) <= MOST
    assert max(held.values(), default=0) <= EACH
    came = Counter({owner: 0 for owner, _key in puts})
    again = Shares[int](most=MOST, each=EACH)
    for owner, key in puts:
        came[owner] += again.get(owner, key) is None
        again.put(owner, key, key)
    assert came == held + Counter(gone)


@given(st.lists(PUT), st.permutations("ABCDE"))
def test_who_stays_within_a_fair_share_loses_nothing(
    puts: list[tuple[Owner, int]], tenants: list[str]
) -> None:
    """However much the others put, and whenever: a fifth of the bound is each one's own."""
    small, fair = tenants[0], MOST // 5
    mine = list(dict.fromkeys(put for put in puts if put[0][0] == small))[:fair]
    kept = [put for put in puts if put in mine or put[0][0] != small]
    shares, gone = filled(kept)
    assert all(owner[0] != small for owner in gone)
    assert all(shares.get(owner, key) == key for owner, key in mine)


@given(st.lists(PUT), OWNERS, st.integers(0, 9))
def test_a_newcomer_is_in_and_the_one_with_the_most_gives_way(
    puts: list[tuple[Owner, int]], newcomer: Owner, key: int
) -> None:
    shares, _gone = filled([put for put in puts if put[0][0] != newcomer[0]])
    before = Counter(owner[0] for owner, _key, _thing in shares.items())
    dropped = shares.put(newcomer, key, key)
    assert shares.get(newcomer, key) == key
    if dropped:
        assert before[dropped[0][0]] == max(before.values())


class Counted:
    """A tenant that counts how often it is looked at."""

    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return id(self)

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return self is other


def looks_at_a_full_one(tenants: int) -> int:
    shares = Shares[int](most=tenants, each=EACH)
    for number in range(tenants):
        shares.put((Counted(), "x"), number, number)
    Counted.looks = 0
    shares.put((Counted(), "x"), 0, 0)
    return Counted.looks


def test_a_note_more_costs_the_same_however_many_share() -> None:
    """Else a flood from many networks is a flood of work."""
    assert looks_at_a_full_one(1000) == looks_at_a_full_one(10)


def test_of_one_owner_the_oldest_goes_and_what_comes_again_is_new() -> None:
    shares = Shares[str](most=10, each=2)
    me = ("A", "x")
    for key in ("one", "two", "one", "three"):
        shares.put(me, key, key)
    assert [thing for _owner, _key, thing in shares.items()] == ["one", "three"]


def test_of_a_tenant_the_user_with_the_most_gives_way() -> None:
    shares = Shares[int](most=4, each=4)
    for key in range(3):
        shares.put(("A", "loud"), key, key)
    shares.put(("A", "quiet"), 0, 0)
    assert shares.put(("B", "x"), 0, 0) == (("A", "loud"), 0)


@given(st.lists(st.sampled_from("ABC"), min_size=2, max_size=8))
def test_in_a_line_that_is_too_long_the_newest_of_the_most_frequent_gives_way(line: list[str]) -> None:
    counts, at = Counter(line), gives_way(line)
    assert at > 0
    assert counts[line[at]] == max(counts.values())
    assert line[at] not in line[at + 1 :]


def test_owners_take_turns() -> None:
    assert in_turns(["a1", "a2", "a3", "b1", "c1", "c2"], lambda thing: thing[0]) == [
        "a1", "b1", "c1", "a2", "c2", "a3",
    ]  # fmt: skip
    assert in_turns([], str) == []
