"""How true the picture is, judged from facts. PURE. Green only for what a recent fact proves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from registry_sync.alarms import Alarm

GRACE = timedelta(seconds=30)
# An event may come later than the run that it should have come before, and is applied a little later still.
PATIENCE = timedelta(minutes=1)
# Tags back at what they had left, without an event; one or two may be somebody's push whose event was lost.
ROLLED_BACK = 3


class Ground(StrEnum):
    """What the light is given for."""

    NEVER = "never"
    HELD = "held"
    FAILED = "failed"
    PARTLY = "partly"
    DOWN = "down"  # the registry does not answer
    REFUSED = "refused"  # it does not take the panel's tokens, or the panel cannot sign any
    FROZEN = "frozen"  # the database takes no changes
    ASLEEP = "asleep"  # no worker gives a sign of life
    OVERDUE = "overdue"
    BEHIND = "behind"  # events came, and nobody applies them
    SILENT = "silent"  # no events although things happened
    DIFFERENCES = "differences"  # events come, and the last full check found more than they told
    TOLD = "told"  # events come, and the last full check agreed with them
    ASKED = "asked"  # the registry tells nothing; the full checks are all there is


# What the worker found goes before what it read earlier.
_ALARMS = {
    Alarm.SILENT: Ground.DOWN,
    Alarm.REFUSED: Ground.REFUSED,
    Alarm.UNSIGNED: Ground.REFUSED,
    Alarm.FROZEN: Ground.FROZEN,
}

LIGHTS = {
    Ground.NEVER: "never",
    Ground.HELD: "held",
    Ground.FAILED: "failed",
    Ground.PARTLY: "stale",
    Ground.DOWN: "failed",
    Ground.REFUSED: "failed",
    Ground.FROZEN: "failed",
    Ground.ASLEEP: "stale",
    Ground.OVERDUE: "stale",
    Ground.BEHIND: "stale",
    Ground.SILENT: "stale",
    Ground.DIFFERENCES: "stale",
    Ground.TOLD: "live",
    Ground.ASKED: "live",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A sync run that ended. `state` is done, incomplete, failed or held."""

    state: str
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the light is judged by; each is None when there is none.

    `rest`: how long the registry is left alone after a check (reconcile/intervals.py); `untold_at`: the oldest
    difference that a check found since the last event; `waiting_since`: when the oldest event that is not applied
    should have been.
    """

    now: datetime
    rest: timedelta
    last: Check | None = None
    troubled: bool = False  # some of what is shown could not be read
    held: bool = False  # some of it would vanish, and an operator must agree
    under_way: bool = False  # a run is working, and says so
    asleep: bool = False  # a worker has lived, and is silent
    alarm: Alarm | None = None  # the worst of what is wrong with the installation
    differences: int = 0  # found by the last full check
    event_at: datetime | None = None
    untold_at: datetime | None = None
    waiting_since: datetime | None = None


def judge(facts: Facts) -> Ground:
    if not facts.last:
        return Ground.NEVER
    if outweighing := _outweighing(facts, facts.last):
        return outweighing
    if facts.last.state == "failed":
        return Ground.FAILED
    if facts.last.state == "incomplete" or facts.troubled:
        return Ground.PARTLY
    if overdue(facts):
        return Ground.OVERDUE
    if not facts.event_at:
        return Ground.ASKED
    if facts.waiting_since and facts.now - facts.waiting_since > PATIENCE:
        return Ground.BEHIND
    if facts.untold_at and facts.now - facts.untold_at > PATIENCE:
        return Ground.SILENT
    return Ground.DIFFERENCES if facts.differences else Ground.TOLD


def _outweighing(facts: Facts, last: Check) -> Ground | None:
    """Return what says that nothing is read now, or must not be written down."""
    if facts.alarm in _ALARMS:
        return _ALARMS[facts.alarm]
    if last.state == "held" or facts.held:
        return Ground.HELD
    return Ground.ASLEEP if facts.asleep else None


def overdue(facts: Facts) -> bool:
    """Three checks should have come since."""
    if facts.under_way or not facts.last:
        return False
    if facts.last.finished_at > facts.now + GRACE:
        return True  # a clock that went back wrote it: nobody knows when it was
    return facts.now - facts.last.finished_at > 3 * facts.rest + GRACE


def time_left(*, started: datetime, now: datetime, done: int, total: int) -> timedelta | None:
    """None while nothing can be said: too little is done, or all of it."""
    if not 0 < done < total or now <= started:
        return None
    return (now - started) / done * (total - done)
