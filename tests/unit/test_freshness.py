"""The light of freshness: green only for what a recent fact proves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry_sync.alarms import Alarm
from registry_sync.freshness import (
    LIGHT_OF,
    FinishedCheck,
    FreshnessInput,
    Reason,
    is_overdue,
    judge,
    time_left,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def checked(state: str = "done", *, seconds: float = 5, took: float = 1) -> FinishedCheck:
    return FinishedCheck(state, ago(seconds + took), ago(seconds))


FACTS = FreshnessInput(now=NOW, rest=timedelta(seconds=10))
TELLING = replace(FACTS, last=checked(), event_at=ago(3600))


@pytest.mark.parametrize(
    ("facts", "reason", "light"),
    [
        (FACTS, Reason.NEVER, "never"),
        (replace(FACTS, event_at=ago(1)), Reason.NEVER, "never"),
        # an end that proves nothing outweighs all else
        (replace(TELLING, last=checked("needs_approval")), Reason.NEEDS_APPROVAL, "needs_approval"),
        (replace(TELLING, last=checked(), needs_approval=True), Reason.NEEDS_APPROVAL, "needs_approval"),
        (replace(TELLING, last=checked("failed")), Reason.FAILED, "failed"),
        (replace(TELLING, last=checked("incomplete")), Reason.INCOMPLETE, "stale"),
        # nobody works: the last word of those who did says nothing of now
        (replace(TELLING, no_worker=True), Reason.NO_WORKER, "stale"),
        (replace(TELLING, last=checked("failed"), no_worker=True), Reason.NO_WORKER, "stale"),
        (
            replace(TELLING, last=checked("needs_approval"), no_worker=True),
            Reason.NEEDS_APPROVAL,
            "needs_approval",
        ),
        (replace(FACTS, last=checked(), no_worker=True), Reason.NO_WORKER, "stale"),
        # an event that nobody applies is no news, however late it came
        (replace(TELLING, event_at=ago(1), waiting_since=ago(61)), Reason.EVENTS_DELAYED, "stale"),
        (replace(TELLING, event_at=ago(1), waiting_since=ago(59)), Reason.EVENTS_COMPLETE, "live"),
        # nothing came for long, and nothing is under way
        (replace(TELLING, last=checked(seconds=61)), Reason.OVERDUE, "stale"),
        (replace(TELLING, last=checked(seconds=59)), Reason.EVENTS_COMPLETE, "live"),
        (replace(TELLING, last=checked(seconds=61), under_way=True), Reason.EVENTS_COMPLETE, "live"),
        # a registry that tells nothing is asked
        (replace(FACTS, last=checked()), Reason.NO_EVENTS, "live"),
        # events are silent although things happened, and it is no mere delay
        (replace(TELLING, unreported_since=ago(61)), Reason.EVENTS_MISSING, "stale"),
        (replace(TELLING, unreported_since=ago(59)), Reason.EVENTS_COMPLETE, "live"),
        (replace(TELLING, differences=2), Reason.EVENTS_INCOMPLETE, "stale"),
        (replace(TELLING, differences=2, unreported_since=ago(61)), Reason.EVENTS_MISSING, "stale"),
        # long without an event, and the checks agree: nothing happened
        (replace(TELLING, event_at=ago(10**6)), Reason.EVENTS_COMPLETE, "live"),
    ],
)
def test_the_reason_and_its_light(facts: FreshnessInput, reason: Reason, light: str) -> None:
    assert judge(facts) is reason
    assert LIGHT_OF[reason] == light


def test_every_ground_has_a_light() -> None:
    assert set(LIGHT_OF) == set(Reason)


def test_three_rests_later_it_is_overdue() -> None:
    facts = replace(FACTS, rest=timedelta(hours=10), last=checked(took=3600, seconds=29 * 3600))
    assert not is_overdue(facts)
    assert is_overdue(replace(facts, last=checked(took=3600, seconds=31 * 3600)))


@pytest.mark.parametrize(
    ("done", "total", "left"),
    [(0, 10, None), (10, 10, None), (11, 10, None), (5, 10, 60), (1, 4, 180), (0, 0, None)],
)
def test_the_time_left(done: int, total: int, left: int | None) -> None:
    found = time_left(started=ago(60), now=NOW, done=done, total=total)
    assert found == (None if left is None else timedelta(seconds=left))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-100, 10**6))
@example(1, 10**9, 10**6)  # more than a timedelta can hold
def test_the_time_left_is_never_negative(done: int, total: int, seconds: int) -> None:
    left = time_left(started=ago(seconds), now=NOW, done=done, total=total)
    assert left is None or left >= timedelta()


@pytest.mark.parametrize(
    ("alarm", "reason"),
    [
        (Alarm.UNREACHABLE, Reason.UNREACHABLE),
        (Alarm.TOKENS_REFUSED, Reason.TOKENS_REFUSED),
        (Alarm.TOKENS_UNSIGNED, Reason.TOKENS_REFUSED),
        (Alarm.READ_ONLY, Reason.READ_ONLY),
    ],
)
def test_what_is_wrong_now_outweighs_what_was_read(alarm: Alarm, reason: Reason) -> None:
    assert judge(replace(TELLING, alarm=alarm)) is reason
    assert judge(replace(TELLING, last=checked("needs_approval"), alarm=alarm)) is reason


def test_what_was_never_checked_is_not_overdue() -> None:
    assert not is_overdue(FACTS)


def test_a_check_that_ended_in_the_future_is_overdue() -> None:
    assert is_overdue(replace(FACTS, last=checked(seconds=-3600)))
