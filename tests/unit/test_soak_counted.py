"""What `make soak` says of metrics: a count that is wrong must not pass for right."""

import pytest

from tests.load.soak.counted import LATE, PASSED_ON, Asked, Scrape, astray, backwards

PORT = 1
ASKED = [Asked(PORT, at, at + 0.1) for at in (10.0, 11.0, 12.0)]
LATER = 12.1 + LATE


def scrape(count: int, at: float = LATER, *, life: float = 5.0, port: int = PORT) -> Scrape:
    return Scrape(port, life, at, at + 0.1, count)


def test_counts_that_go_back_in_one_life() -> None:
    later = scrape(2, 30)
    assert backwards([later, scrape(3, 20)]) == [later]


def test_another_life_and_another_server_begin_anew() -> None:
    assert backwards([scrape(3, 20), scrape(0, 30, life=25), scrape(1, 40, port=2)]) == []


@pytest.mark.parametrize(("count", "is_right"), [(2, False), (3, True), (4, False)])
def test_a_count_is_what_was_asked(count: int, is_right: bool) -> None:
    assert (astray([scrape(count)], ASKED, []) == []) is is_right


def test_what_was_just_answered_may_be_counted_by_another_process() -> None:
    early = LATER - 0.01
    assert [astray([scrape(count, early)], ASKED, []) == [] for count in (1, 2, 3)] == [False, True, True]


def test_what_was_never_answered_may_be_counted() -> None:
    broken_off = Asked(PORT, 12.5, 0)
    assert [astray([scrape(count)], [*ASKED, broken_off], []) == [] for count in (2, 3, 4, 5)] == [
        False,
        True,
        True,
        False,
    ]


def test_what_others_and_an_earlier_life_were_asked_is_not_counted() -> None:
    others = [Asked(2, 10, 10.1), Asked(PORT, 4, 4.1)]
    assert astray([scrape(3)], [*ASKED, *others], []) == []
    (wrong,) = astray([scrape(4)], [*ASKED, *others], [])
    assert str(wrong) == "1 counts 4; it was asked 3 to 3 times"


@pytest.mark.parametrize(
    ("killed", "least"),
    [
        ((PORT, 11.0), 1),  # the first two came shortly before
        ((PORT, 12.1 - PASSED_ON), 0),
        ((2, 11.0), 3),
        ((PORT, 10.1 - PASSED_ON - 0.01), 3),
        ((PORT, 12.2 + LATE), 3),
        ((PORT, 4.0), 3),  # which ended the life before
    ],
)
def test_what_a_process_did_last_before_it_was_killed_may_be_lost(
    killed: tuple[int, float], least: int
) -> None:
    right = [count for count in range(5) if not astray([scrape(count)], ASKED, [killed])]
    assert right == list(range(least, 4))
