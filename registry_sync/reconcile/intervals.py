"""How long the registry is left alone after a check: by what the next will cost, not by what befell the last. PURE."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

REST_FACTOR = 10  # a check that takes a minute is followed by the next one after ten, at the earliest
RECENT_RUNS = 3  # checks by which it is judged: one that hung among them is outvoted
CALM_FACTOR = 6  # intervals, up to CALM_MAX: a full check that found nothing to change is not repeated before
CALM_MAX = timedelta(minutes=1)
BULK_LOAD_RATIO = 10  # a change in so many requests, or more: it was a load, and time went into writing


class FinishedRun(Protocol):
    started_at: datetime | None
    finished_at: datetime | None
    requests: int
    changes: int

    @property
    def found_all_as_known(self) -> bool:
        """Whether it was a full check that read everything and found nothing to change."""


def next_start(last: FinishedRun, whole: Sequence[FinishedRun], interval: timedelta) -> datetime:
    """When the next may begin. `whole`: the newest RECENT_RUNS of the same kind that were read to their end."""
    assert last.started_at
    assert last.finished_at
    begin = max(last.started_at + rest(last, whole, interval), last.finished_at + _least(last, interval))
    return begin - interval / 2  # beat is not exact to the second


def rest(last: FinishedRun, whole: Sequence[FinishedRun], interval: timedelta) -> timedelta:
    least = _least(last, interval)
    return min(max(least, REST_FACTOR * _cost(last, whole)), max(least, timedelta(days=1)))


def _least(last: FinishedRun, interval: timedelta) -> timedelta:
    """Return the least rest. Where nothing had to be changed, quick passes are enough for a while."""
    return max(interval, min(CALM_FACTOR * interval, CALM_MAX)) if last.found_all_as_known else interval


def _cost(last: FinishedRun, whole: Sequence[FinishedRun]) -> timedelta:
    """Return what a check costs. What the first load took says nothing; where each is a load, they do."""
    telling = [run for run in whole if run.changes * BULK_LOAD_RATIO <= run.requests] or whole[1:]
    took = sorted(map(_duration, telling))
    if not took:
        return timedelta() if whole else _duration(last)
    return min(_duration(last), took[(len(took) - 1) // 2])


def _duration(run: FinishedRun) -> timedelta:
    assert run.started_at
    assert run.finished_at
    return max(run.finished_at - run.started_at, timedelta())
