"""What is left alone when workers die: the smallest that holds their deaths, after five of them."""

from hypothesis import given
from hypothesis import strategies as st

from registry_sync.crash_sites import AGAIN, ENOUGH, Spot, to_set_aside

REPOSITORIES = st.sampled_from(["team/a", "team/b", "team/c", "team/d", ""])
ITEMS = st.sampled_from(["1", "2", "3", "4", ""])


def spots(account: int | None = 1) -> st.SearchStrategy[Spot]:
    made = st.builds(Spot, st.just(account), REPOSITORIES, ITEMS)
    return made.filter(lambda spot: bool(spot.repository or not spot.item))


@given(st.lists(spots(), max_size=ENOUGH - 1))
def test_four_deaths_set_nothing_aside(deaths: list[Spot]) -> None:
    assert to_set_aside(deaths, []) == set()


@given(st.lists(spots(), min_size=ENOUGH, max_size=ENOUGH))
def test_five_set_something_aside_that_holds_each_of_which_it_is_known(deaths: list[Spot]) -> None:
    found = to_set_aside(deaths, [])
    assert found
    for death in deaths:
        vague = not death.item and any(each.repository == death.repository for each in found)
        assert vague or not death.repository or any(each.covers(death) for each in found)


@given(spots())
def test_one_thing_alone_is_set_aside_alone(spot: Spot) -> None:
    assert to_set_aside([spot] * ENOUGH, []) == {spot}


def test_what_died_in_many_is_what_holds_them() -> None:
    items = [Spot(1, "team/a", str(n)) for n in range(ENOUGH)]
    assert to_set_aside(items, []) == {Spot(1, "team/a")}
    repositories = [Spot(1, f"team/{n}", "1") for n in range(ENOUGH)]
    assert to_set_aside(repositories, []) == {Spot(1)}
    two = [Spot(1, "team/a", "1")] * 3 + [Spot(1, "team/b", "2")] * 2
    assert to_set_aside(two, []) == set(two)


def test_larger_parts_do_not_hide_which_of_their_repositories_it_was() -> None:
    assert to_set_aside([Spot(1)] * 3 + [Spot(1, "team/a")] * 2, []) == {Spot(1, "team/a")}


def test_where_something_is_aside_already_two_are_enough() -> None:
    before = [Spot(1, "team/a", "1"), Spot(1, "team/a", "2")]
    third = Spot(1, "team/a", "3")
    assert to_set_aside([third], before) == set()
    assert to_set_aside([third] * AGAIN, before) == {Spot(1, "team/a")}


def test_what_is_nobodys_is_never_set_aside_as_a_whole() -> None:
    assert to_set_aside([Spot(None, "x/y")] * ENOUGH, []) == {Spot(None, "x/y")}


@given(spots(), spots(), spots(2))
def test_a_spot_covers_what_is_in_it_and_nothing_of_another_account(
    one: Spot, two: Spot, other: Spot
) -> None:
    assert Spot(1).covers(one)
    assert one.covers(one)
    assert not one.covers(other)
    if one.covers(two) and two.covers(one):
        assert one == two


@given(spots())
def test_what_is_packed_is_the_same_unpacked(spot: Spot) -> None:
    assert Spot.unpacked(spot.packed()) == spot


def test_the_longest_fits_into_its_column() -> None:
    assert len(Spot(2**63, "r" * 255, "i" * 200).packed()) <= 600
