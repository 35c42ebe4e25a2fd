"""What is left alone when workers crash: the smallest that contains their crashes, after five of them."""

from hypothesis import given
from hypothesis import strategies as st

from registry_sync.work_units import CRASHES_MAX, CRASHES_MAX_AGAIN, WorkUnit, to_quarantine

REPOSITORIES = st.sampled_from(["team/a", "team/b", "team/c", "team/d", ""])
ITEMS = st.sampled_from(["1", "2", "3", "4", ""])


def spots(account: int | None = 1) -> st.SearchStrategy[WorkUnit]:
    made = st.builds(WorkUnit, st.just(account), REPOSITORIES, ITEMS)
    return made.filter(lambda spot: bool(spot.repository or not spot.item))


@given(st.lists(spots(), max_size=CRASHES_MAX - 1))
def test_four_crashes_quarantine_nothing(crashes: list[WorkUnit]) -> None:
    assert to_quarantine(crashes, []) == set()


@given(st.lists(spots(), min_size=CRASHES_MAX, max_size=CRASHES_MAX))
def test_five_quarantine_something_that_contains_each_of_which_it_is_known(crashes: list[WorkUnit]) -> None:
    found = to_quarantine(crashes, [])
    assert found
    for crash in crashes:
        vague = not crash.item and any(each.repository == crash.repository for each in found)
        assert vague or not crash.repository or any(each.covers(crash) for each in found)


@given(spots())
def test_one_thing_alone_is_set_aside_alone(spot: WorkUnit) -> None:
    assert to_quarantine([spot] * CRASHES_MAX, []) == {spot}


def test_what_died_in_many_is_what_holds_them() -> None:
    items = [WorkUnit(1, "team/a", str(n)) for n in range(CRASHES_MAX)]
    assert to_quarantine(items, []) == {WorkUnit(1, "team/a")}
    repositories = [WorkUnit(1, f"team/{n}", "1") for n in range(CRASHES_MAX)]
    assert to_quarantine(repositories, []) == {WorkUnit(1)}
    two = [WorkUnit(1, "team/a", "1")] * 3 + [WorkUnit(1, "team/b", "2")] * 2
    assert to_quarantine(two, []) == set(two)


def test_larger_parts_do_not_hide_which_of_their_repositories_it_was() -> None:
    assert to_quarantine([WorkUnit(1)] * 3 + [WorkUnit(1, "team/a")] * 2, []) == {WorkUnit(1, "team/a")}


def test_where_something_is_aside_already_two_are_enough() -> None:
    before = [WorkUnit(1, "team/a", "1"), WorkUnit(1, "team/a", "2")]
    third = WorkUnit(1, "team/a", "3")
    assert to_quarantine([third], before) == set()
    assert to_quarantine([third] * CRASHES_MAX_AGAIN, before) == {WorkUnit(1, "team/a")}


def test_what_is_nobodys_is_never_set_aside_as_a_whole() -> None:
    assert to_quarantine([WorkUnit(None, "x/y")] * CRASHES_MAX, []) == {WorkUnit(None, "x/y")}


@given(spots(), spots(), spots(2))
def test_a_spot_covers_what_is_in_it_and_nothing_of_another_account(
    one: WorkUnit, two: WorkUnit, other: WorkUnit
) -> None:
    assert WorkUnit(1).covers(one)
    assert one.covers(one)
    assert not one.covers(other)
    if one.covers(two) and two.covers(one):
        assert one == two


@given(spots())
def test_what_is_packed_is_the_same_unpacked(spot: WorkUnit) -> None:
    assert WorkUnit.unpacked(spot.packed()) == spot


def test_the_longest_fits_into_its_column() -> None:
    assert len(WorkUnit(2**63, "r" * 255, "i" * 200).packed()) <= 600
