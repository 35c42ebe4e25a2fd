"""How long the registry is left alone after a check."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from registry_sync.reconcile import intervals

NOON = datetime(2026, 2, 21, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Run:
    took: timedelta
    requests: int = 100
    changes: int = 0
    started_at: datetime = NOON
    found_all_as_known: bool = False

    @property
    def finished_at(self) -> datetime:
        return self.started_at + self.took


def minutes(*each: float) -> list[Run]:
    return [Run(number * MINUTE) for number in each]


LOAD = Run(60 * MINUTE, requests=100, changes=11)


@pytest.mark.parametrize(
    ("whole", "rest"),
    [
        (minutes(2, 2, 2), 20),
        (minutes(2), 20),
        (minutes(60, 2, 2), 20),  # one that hung is outvoted
        (minutes(2, 60, 60), 20),  # and the last one was quick
        (minutes(0.1), 5),  # never less than the interval
        ([], 20),  # nothing was ever read to its end: the last itself
        ([LOAD], 5),  # what a first load took says nothing
        ([LOAD, *minutes(2)], 20),
        ([LOAD, LOAD], 600),  # where each is a load, they do
        (minutes(600, 600), 1440),  # a day at most
        ([Run(-MINUTE)], 5),  # the clock went back
    ],
)
def test_a_check_is_followed_by_ten_times_what_the_next_will_cost(whole: list[Run], rest: float) -> None:
    last = whole[0] if whole else Run(2 * MINUTE)
    assert intervals.rest(last, whole, 5 * MINUTE) == rest * MINUTE


def test_the_next_begins_an_interval_after_the_end_at_the_earliest() -> None:
    (quick,), (long,) = minutes(1), minutes(30)
    assert intervals.next_start(quick, [quick], 20 * MINUTE) == NOON + 21 * MINUTE - 10 * MINUTE
    assert intervals.next_start(long, [long], 20 * MINUTE) == NOON + 300 * MINUTE - 10 * MINUTE


@pytest.mark.parametrize(
    ("interval", "took", "rest"),
    [
        (2, 1, 12),
        (10, 1, 60),
        (20, 1, 60),  # a minute is enough
        (90, 1, 90),  # and less than the interval it is never
        (10, 9, 90),
    ],
)
def test_after_a_check_that_found_nothing_to_change_the_next_comes_later(
    interval: int, took: int, rest: int
) -> None:
    calm, between = Run(took * SECOND, found_all_as_known=True), interval * SECOND
    assert intervals.rest(calm, [calm], between) == rest * SECOND
    begin = NOON + max(rest, took + between / SECOND) * SECOND
    assert intervals.next_start(calm, [calm], between) >= begin - between / 2
    changed = Run(took * SECOND)
    assert intervals.rest(changed, [changed], between) == max(interval, 10 * took) * SECOND
