"""The light of freshness: green only for what a recent fact proves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.alarms import Alarm
from registry_sync.freshness import LIGHTS, Check, Facts, Ground, judge, overdue, time_left

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def checked(state: str = "done", *, seconds: float = 5, took: float = 1) -> Check:
    return Check(state, ago(seconds + took), ago(seconds))


FACTS = Facts(now=NOW, rest=timedelta(seconds=10))
TELLING = replace(FACTS, last=checked(), event_at=ago(3600))


@pytest.mark.parametrize(
    ("facts", "ground", "light"),
    [
        (FACTS, Ground.NEVER, "never"),
        (replace(FACTS, event_at=ago(1)), Ground.NEVER, "never"),
        # an end that proves nothing outweighs all else
        (replace(TELLING, last=checked("held")), Ground.HELD, "held"),
        (replace(TELLING, last=checked(), held=True), Ground.HELD, "held"),
        (replace(TELLING, last=checked("failed")), Ground.FAILED, "failed"),
        (replace(TELLING, last=checked("incomplete")), Ground.PARTLY, "stale"),
        # nobody works: the last word of those who did says nothing of now
        (replace(TELLING, asleep=True), Ground.ASLEEP, "stale"),
        (replace(TELLING, last=checked("failed"), asleep=True), Ground.ASLEEP, "stale"),
        (replace(TELLING, last=checked("held"), asleep=True), Ground.HELD, "held"),
        (replace(FACTS, last=checked(), asleep=True), Ground.ASLEEP, "stale"),
        # an event that nobody applies is no news, however late it came
        (replace(TELLING, event_at=ago(1), waiting_since=ago(61)), Ground.BEHIND, "stale"),
        (replace(TELLING, event_at=ago(1), waiting_since=ago(59)), Ground.TOLD, "live"),
        # nothing came for long, and nothing is under way
        (replace(TELLING, last=checked(seconds=61)), Ground.OVERDUE, "stale"),
        (replace(TELLING, last=checked(seconds=59)), Ground.TOLD, "live"),
        (replace(TELLING, last=checked(seconds=61), under_way=True), Ground.TOLD, "live"),
        # a registry that tells nothing is asked
        (replace(FACTS, last=checked()), Ground.ASKED, "live"),
        # events are silent although things happened, and it is no mere delay
        (replace(TELLING, untold_at=ago(61)), Ground.SILENT, "stale"),
        (replace(TELLING, untold_at=ago(59)), Ground.TOLD, "live"),
        (replace(TELLING, differences=2), Ground.DIFFERENCES, "stale"),
        (replace(TELLING, differences=2, untold_at=ago(61)), Ground.SILENT, "stale"),
        # long without an event, and the checks agree: nothing happened
        (replace(TELLING, event_at=ago(10**6)), Ground.TOLD, "live"),
    ],
)
def test_the_ground_and_its_light(facts: Facts, ground: Ground, light: str) -> None:
    assert judge(facts) is ground
    assert LIGHTS[ground] == light


def test_every_ground_has_a_light() -> None:
    assert set(LIGHTS) == set(Ground)


def test_three_rests_later_it_is_overdue() -> None:
    facts = replace(FACTS, rest=timedelta(hours=10), last=checked(took=3600, seconds=29 * 3600))
    assert not overdue(facts)
    assert overdue(replace(facts, last=checked(took=3600, seconds=31 * 3600)))


@pytest.mark.parametrize(
    ("done", "total", "left"),
    [(0, 10, None), (10, 10, None), (11, 10, None), (5, 10, 60), (1, 4, 180), (0, 0, None)],
)
def test_the_time_left(done: int, total: int, left: int | None) -> None:
    found = time_left(started=ago(60), now=NOW, done=done, total=total)
    assert found == (None if left is None else timedelta(seconds=left))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-100, 10**6))
def test_the_time_left_is_never_negative(done: int, total: int, seconds: int) -> None:
    left = time_left(started=ago(seconds), now=NOW, done=done, total=total)
    assert left is None or left >= timedelta()


@pytest.mark.parametrize(
    ("alarm", "ground"),
    [
        (Alarm.SILENT, Ground.DOWN),
        (Alarm.REFUSED, Ground.REFUSED),
        (Alarm.UNSIGNED, Ground.REFUSED),
        (Alarm.FROZEN, Ground.FROZEN),
    ],
)
def test_what_is_wrong_now_outweighs_what_was_read(alarm: Alarm, ground: Ground) -> None:
    assert judge(replace(TELLING, alarm=alarm)) is ground
    assert judge(replace(TELLING, last=checked("held"), alarm=alarm)) is ground


def test_what_was_never_checked_is_not_overdue() -> None:
    assert not overdue(FACTS)


def test_a_check_that_ended_in_the_future_is_overdue() -> None:
    assert overdue(replace(FACTS, last=checked(seconds=-3600)))
