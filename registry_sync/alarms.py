"""What makes push and pull fail, or keeps the inventory as it is: judged from facts. PURE."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Alarm(StrEnum):
    SILENT = "silent"  # the registry does not answer, or not as one does
    REFUSED = "refused"  # it does not take the tokens that the panel signs
    UNSIGNED = "unsigned"  # the panel cannot sign any
    FROZEN = "frozen"  # the database takes no changes
    ASLEEP = "asleep"  # no worker gives a sign of life


@dataclass(frozen=True, slots=True)
class HealthSigns:
    """What the worker, which asks every few seconds, has found of the registry.

    `silent_since`, `refused_since` and `unsigned_since`: since when it has found it so; `answered_at`: when it last
    found all well; `worker_at` and `event_at`: of the last sign of a worker, and of the last event. None where it did
    not, or there is none.
    """

    answered_at: datetime | None = None
    silent_since: datetime | None = None
    refused_since: datetime | None = None
    unsigned_since: datetime | None = None
    worker_at: datetime | None = None
    event_at: datetime | None = None
    asleep: bool = False
    frozen: bool = False


def alarms(signs: HealthSigns) -> dict[Alarm, datetime | None]:
    """Return each with its beginning, where that is known; the worst first.

    While no worker asks, what it last found is no news.
    """
    active: dict[Alarm, datetime | None] = {}
    if not signs.asleep:
        since = {
            Alarm.SILENT: signs.silent_since,
            Alarm.REFUSED: signs.refused_since,
            Alarm.UNSIGNED: signs.unsigned_since,
        }
        active |= {alarm: at for alarm, at in since.items() if at}
    if signs.frozen:
        active[Alarm.FROZEN] = None
    if signs.asleep:
        active[Alarm.ASLEEP] = signs.worker_at
    return active
