"""When each session of a person was used last: to the hour, so that pages write next to nothing."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from allauth.usersessions.models import UserSession

from accounts.write_behind import Batch, SeenNote

MOST: Final = 10_000
EVERY: Final = timedelta(hours=1)


class Recently:
    """The sessions that this process noted in the last hour; at most `most`, the oldest gives way."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._noted: OrderedDict[str, datetime] = OrderedDict()

    def first_in_an_hour(self, key: str, now: datetime) -> bool:
        """Return whether it was not noted for an hour, and remember that it is now."""
        with self._lock:
            earlier = self._noted.get(key)
            if earlier and earlier > now - EVERY:
                return False
            self._noted[key] = now
            self._noted.move_to_end(key)
            if len(self._noted) > self._most:
                self._noted.popitem(last=False)
            return True

    def forget(self) -> None:
        with self._lock:
            self._noted.clear()


def note(session_key: str, now: datetime) -> None:
    if recently.first_in_an_hour(session_key, now):
        seen.note(SeenNote(session_key, now))


def _write(notes: list[SeenNote]) -> None:
    for each in notes:
        rows = UserSession.objects.filter(session_key=each.name, last_seen_at__lt=each.at - EVERY)
        rows.update(last_seen_at=each.at)


recently = Recently(MOST)
seen = Batch("sessions seen", _write, most=MOST, each=MOST)
