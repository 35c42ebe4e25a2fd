"""How far reading may be ahead of what the registry tells."""

import time
from collections.abc import Callable

import pytest

from registry_sync.client.pacing import (
    AHEAD_MAX,
    STALLED_SECONDS,
    ReadPacer,
    requested_at,
    stamp,
    stamped_agent,
)


def reading(
    told: float | None, count: int = AHEAD_MAX, *, clock: Callable[[], float] = time.monotonic
) -> ReadPacer:
    """Has read so many, at the moments 1, 2, 3 …"""
    made = ReadPacer(lambda: told, clock=clock)
    for at in range(1, count + 1):
        made.note_read(float(at))
    return made


def test_a_moment_comes_back_from_the_user_agent() -> None:
    made = stamp()
    assert requested_at(made.agent) == made.at


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "registry-manager",
        "docker/27.3.1",
        "registry-manager (asked 1)",
        "x" + stamped_agent(1.0),
        stamped_agent(1e11),
    ],
)
def test_no_other_agent_has_one(agent: str) -> None:
    assert requested_at(agent) is None


def test_it_waits_when_too_much_is_not_told_of_yet() -> None:
    assert not reading(0.0, AHEAD_MAX - 1).is_ahead()
    assert reading(0.0).is_ahead()


def test_it_goes_on_by_as_many_as_were_told_of() -> None:
    made = reading(told=10.0)
    made.update()
    for second in range(10):
        assert not made.is_ahead()
        made.note_read(1000.0 + second)
    assert made.is_ahead()


def test_what_is_told_of_nothing_keeps_nobody_for_ever() -> None:
    now = [0.0]
    made = reading(told=0.0, clock=lambda: now[0])
    now[0] += STALLED_SECONDS
    made.update()
    assert not made.is_ahead()  # as many more
    for second in range(AHEAD_MAX):
        made.note_read(1000.0 + second)
    assert made.is_ahead()


def test_a_registry_that_never_told_of_anything_is_read_at_any_pace() -> None:
    told: list[float] = []
    now = [0.0]
    made = ReadPacer(lambda: told[0] if told else None, clock=lambda: now[0])
    for second in range(AHEAD_MAX):
        made.note_read(float(second))
    made.update()
    assert made.is_ahead()  # it may begin to tell
    now[0] += STALLED_SECONDS
    made.update()
    for second in range(10 * AHEAD_MAX):
        made.note_read(1000.0 + second)
        assert not made.is_ahead()
    told.append(0.0)
    made.update()
    assert made.is_ahead()


def test_it_waits_once_for_such_a_registry_whoever_notices_first() -> None:
    now = [0.0]
    made = reading(told=None, clock=lambda: now[0])
    made.update()
    now[0] += STALLED_SECONDS
    for second in range(10 * AHEAD_MAX):
        assert not made.is_ahead()
        made.note_read(1000.0 + second)
        made.update()


def test_a_registry_that_reports_is_waited_for_again_and_again() -> None:
    now = [0.0]
    made = reading(told=0.0, clock=lambda: now[0])
    for _stall in range(3):
        made.update()
        assert made.is_ahead()
        now[0] += STALLED_SECONDS
        assert not made.is_ahead()
        for second in range(AHEAD_MAX):
            made.note_read(1000.0 + second)
