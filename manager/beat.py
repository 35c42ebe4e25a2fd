"""What is sent to the workers, and how often; with a sign of life: an idle worker must not look as if it were dead.

Celery's own schedule keeps in a file when it last sent what. A clock that jumped stands there for long, also after a
restart. What is due is in the database, so here is no file, and intervals are counted by a clock that does not jump.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from celery.beat import Scheduler
from django.db import DatabaseError, InterfaceError, connection

from accounts import outbox
from accounts.common import clock
from accounts.id_tokens import keys
from namespaces.webhooks import delivery, denied_bursts
from registry_sync import heartbeats
from registry_sync.events import due_events
from registry_sync.models import Marker

# Tasks that come every few seconds and mostly for nothing: sent when their rows say so. A look takes a hundredth of
# what it takes to write a message, to read it and to begin a task.
HAS_WORK: Final[dict[str, Callable[[], bool]]] = {
    "registry_sync.apply_events": due_events.any_due,
    "registry_sync.issuer_keys": keys.any_due,
    "registry_sync.mails": outbox.any_due,
    "registry_sync.denied_bursts": denied_bursts.wanted,
    "registry_sync.webhooks": delivery.any_due,
}
HEARTBEAT, HEARTBEAT_SECONDS = "heartbeat", heartbeats.PULSE.total_seconds() / 2


class Schedule(Scheduler):
    monotonic = staticmethod(time.monotonic)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._next: dict[str, float] = {}
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)

    def tick(self, *_arguments: Any, **_options: Any) -> float:
        """Send what is due. Return the seconds until more is."""
        database_answers = not self._is_due(HEARTBEAT, HEARTBEAT_SECONDS) or self._note_heartbeat()
        for name, entry in self.schedule.items():
            due = self._is_due(name, float(self.app.conf.beat_schedule[name]["schedule"]))
            if due and (not database_answers or _has_work(str(entry.task))):
                self.apply_entry(entry, producer=self.producer)
        return max(min(self._next.values(), default=1.0) - self.monotonic(), 0.0)

    def _is_due(self, name: str, every: float) -> bool:
        """Return True once in so many seconds, and after the clock jumped."""
        now = self.monotonic()
        if now < self._next.get(name, now) <= now + every:
            return False
        self._next[name] = now + every
        return True

    def _note_heartbeat(self) -> bool:
        """Return False when the database does not answer: then nobody asks it more, and the worker says it."""
        try:
            connection.close_if_unusable_or_obsolete()
            heartbeats.note(Marker.BEAT, clock.now(), every=heartbeats.PULSE)
        except (DatabaseError, InterfaceError):
            del self._next[HEARTBEAT]  # it is tried with the next tick
            return False
        return True


def _has_work(task: str) -> bool:
    """Return False where the rows say that the task would find nothing to do."""
    try:
        return task not in HAS_WORK or HAS_WORK[task]()
    except (DatabaseError, InterfaceError):
        return True
