"""What makes push and pull fail, or keeps the inventory as it is: judged from facts. PURE."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Alarm(StrEnum):
    UNREACHABLE = "unreachable"  # the registry does not answer, or not as one does
    TOKENS_REFUSED = "tokens_refused"  # it does not take the tokens that the panel signs
    TOKENS_UNSIGNED = "tokens_unsigned"  # the panel cannot sign any
    READ_ONLY = "read_only"  # the database takes no changes
    NO_WORKER = "no_worker"  # no worker gives a sign of life
    COLLECTING = "collecting"  # the registry is read-only, or restarts, for its garbage collection


@dataclass(frozen=True, slots=True)
class HealthSigns:
    """What the worker, which asks every few seconds, has found of the registry.

    `unreachable_since`, `refused_since` and `unsigned_since`: since when it has found it so; `answered_at`: when it
    last found all well; `worker_at` and `event_at`: of the last sign of a worker, and of the last event. None where it
    did not, or there is none. While garbage is collected, that the registry does not answer is meant.
    """

    answered_at: datetime | None = None
    unreachable_since: datetime | None = None
    refused_since: datetime | None = None
    unsigned_since: datetime | None = None
    worker_at: datetime | None = None
    event_at: datetime | None = None
    no_worker: bool = False
    read_only: bool = False
    collecting: bool = False


def alarms(signs: HealthSigns) -> dict[Alarm, datetime | None]:
    """Return each with its beginning, where that is known; the worst first.

    While no worker asks, what it last found is no news.
    """
    active: dict[Alarm, datetime | None] = {}
    if not (signs.no_worker or signs.collecting):
        since = {
            Alarm.UNREACHABLE: signs.unreachable_since,
            Alarm.TOKENS_REFUSED: signs.refused_since,
            Alarm.TOKENS_UNSIGNED: signs.unsigned_since,
        }
        active |= {alarm: at for alarm, at in since.items() if at}
    if signs.read_only:
        active[Alarm.READ_ONLY] = None
    if signs.no_worker:
        active[Alarm.NO_WORKER] = signs.worker_at
    if signs.collecting:
        active[Alarm.COLLECTING] = None
    return active
