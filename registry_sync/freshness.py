"""How true the inventory is, judged from facts. PURE. Green only for what a recent fact proves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from registry_sync.alarms import Alarm

CHECK_GRACE = timedelta(seconds=30)
# An event may come later than the run that it should have come before, and is applied a little later still.
EVENT_GRACE = timedelta(minutes=1)
# Tags back at what they had left, without an event; one or two may be somebody's push whose event was lost.
ROLLBACK_TAGS_MIN = 3


class Reason(StrEnum):
    """What the light is given for."""

    NEVER = "never"
    NEEDS_APPROVAL = "needs_approval"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"  # the registry does not answer
    TOKENS_REFUSED = "tokens_refused"  # it does not take the panel's tokens, or the panel cannot sign any
    READ_ONLY = "read_only"  # the database takes no changes
    NO_WORKER = "no_worker"  # no worker gives a sign of life
    OVERDUE = "overdue"
    EVENTS_DELAYED = "events_delayed"  # events came, and nobody applies them
    EVENTS_MISSING = "events_missing"  # no events although things happened
    EVENTS_INCOMPLETE = (
        "events_incomplete"  # events come, and the last full check found more than they reported
    )
    EVENTS_COMPLETE = "events_complete"  # events come, and the last full check agreed with them
    NO_EVENTS = "no_events"  # the registry sends none; the full checks are all there is


# What the worker found goes before what it read earlier.
_REASON_OF_ALARM = {
    Alarm.UNREACHABLE: Reason.UNREACHABLE,
    Alarm.TOKENS_REFUSED: Reason.TOKENS_REFUSED,
    Alarm.TOKENS_UNSIGNED: Reason.TOKENS_REFUSED,
    Alarm.READ_ONLY: Reason.READ_ONLY,
}

LIGHT_OF = {
    Reason.NEVER: "never",
    Reason.NEEDS_APPROVAL: "needs_approval",
    Reason.FAILED: "failed",
    Reason.INCOMPLETE: "stale",
    Reason.UNREACHABLE: "failed",
    Reason.TOKENS_REFUSED: "failed",
    Reason.READ_ONLY: "failed",
    Reason.NO_WORKER: "stale",
    Reason.OVERDUE: "stale",
    Reason.EVENTS_DELAYED: "stale",
    Reason.EVENTS_MISSING: "stale",
    Reason.EVENTS_INCOMPLETE: "stale",
    Reason.EVENTS_COMPLETE: "live",
    Reason.NO_EVENTS: "live",
}


@dataclass(frozen=True, slots=True)
class FinishedCheck:
    """A sync run that ended. `state` is done, incomplete, failed or needs_approval."""

    state: str
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class FreshnessInput:
    """What the light is judged by; each is None when there is none.

    `rest`: how long the registry is left alone after a check (reconcile/intervals.py); `unreported_since`: the oldest
    difference that a check found since the last event; `waiting_since`: when the oldest event that is not applied
    should have been.
    """

    now: datetime
    rest: timedelta
    last: FinishedCheck | None = None
    troubled: bool = False  # some of what is shown could not be read
    needs_approval: bool = False  # some of it would vanish, and an operator must agree
    under_way: bool = False  # a run is working, and says so
    no_worker: bool = False  # a worker has lived, and is silent
    alarm: Alarm | None = None  # the worst of what is wrong with the installation
    differences: int = 0  # found by the last full check
    event_at: datetime | None = None
    unreported_since: datetime | None = None
    waiting_since: datetime | None = None


def judge(facts: FreshnessInput) -> Reason:
    if not facts.last:
        return Reason.NEVER
    if outweighing := _overriding_reason(facts, facts.last):
        return outweighing
    if facts.last.state == "failed":
        return Reason.FAILED
    if facts.last.state == "incomplete" or facts.troubled:
        return Reason.INCOMPLETE
    if is_overdue(facts):
        return Reason.OVERDUE
    if not facts.event_at:
        return Reason.NO_EVENTS
    if facts.waiting_since and facts.now - facts.waiting_since > EVENT_GRACE:
        return Reason.EVENTS_DELAYED
    if facts.unreported_since and facts.now - facts.unreported_since > EVENT_GRACE:
        return Reason.EVENTS_MISSING
    return Reason.EVENTS_INCOMPLETE if facts.differences else Reason.EVENTS_COMPLETE


def _overriding_reason(facts: FreshnessInput, last: FinishedCheck) -> Reason | None:
    """Return what says that nothing is read now, or must not be written down."""
    if facts.alarm in _REASON_OF_ALARM:
        return _REASON_OF_ALARM[facts.alarm]
    if last.state == "needs_approval" or facts.needs_approval:
        return Reason.NEEDS_APPROVAL
    return Reason.NO_WORKER if facts.no_worker else None


def is_overdue(facts: FreshnessInput) -> bool:
    """Three checks should have come since."""
    if facts.under_way or not facts.last:
        return False
    if facts.last.finished_at > facts.now + CHECK_GRACE:
        return True  # a clock that went back wrote it: nobody knows when it was
    return facts.now - facts.last.finished_at > 3 * facts.rest + CHECK_GRACE


_LONGEST_TOLD = timedelta(days=366).total_seconds()


def time_left(*, started: datetime, now: datetime, done: int, total: int) -> timedelta | None:
    """None while nothing can be said: too little is done, or all of it."""
    if not 0 < done < total or now <= started:
        return None
    seconds = (now - started).total_seconds() / done * (total - done)
    return timedelta(seconds=seconds) if seconds < _LONGEST_TOLD else None
