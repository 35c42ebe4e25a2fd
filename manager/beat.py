"""What is sent to the workers, and how often; with a sign of life: an idle worker must not look as if it were dead.

Celery's own schedule keeps in a file when it last sent what. A clock that jumped stands there for long, also after a
restart. What is due is in the database, so here is no file, and intervals are counted by a clock that does not jump.
"""

import time
from contextlib import suppress
from typing import Any

from celery.beat import Scheduler
from django.db import DatabaseError, InterfaceError, connection

from accounts.common import clock
from registry_sync import heartbeats
from registry_sync.models import Marker


class Schedule(Scheduler):
    monotonic = staticmethod(time.monotonic)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._next: dict[str, float] = {}
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)

    def tick(self, *_arguments: Any, **_options: Any) -> float:
        """Send what is due. Return the seconds until more is."""
        with suppress(DatabaseError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            heartbeats.note(Marker.BEAT, clock.now(), every=heartbeats.PULSE)
        for name, entry in self.schedule.items():
            now, every = self.monotonic(), float(self.app.conf.beat_schedule[name]["schedule"])
            if not now < self._next.get(name, now) <= now + every:
                self._next[name] = now + every
                self.apply_entry(entry, producer=self.producer)
        return max(min(self._next.values(), default=1.0) - self.monotonic(), 0.0)
