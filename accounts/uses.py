"""Last use of users: noted in memory while tokens are made, written in batches afterwards.

A synchronous UPDATE for each token would cost almost half of the token door's speed (docs/architecture.md).
"""

import atexit
import logging
import threading
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection, transaction
from django.db.models import Q

from accounts.models import RegistryUser

log = logging.getLogger(__name__)
WRITE_EVERY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Use:
    user_id: int
    at: datetime
    address: str
    client: str


class Uses:
    """The newest use of each user since the last write; a thread of its own does the writing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[int, Use] = {}
        self._thread: threading.Thread | None = None
        self._noted = threading.Event()
        self._stop = threading.Event()

    def note(self, use: Use) -> None:
        with self._lock:
            self._newest[use.user_id] = use
        self._noted.set()

    def start(self) -> None:
        """Begins writing in the background; once per process."""
        with self._lock:
            if self._thread:
                return
            self._thread = threading.Thread(target=self._run, name="last-uses", daemon=True)
            self._thread.start()
        atexit.register(self.write)

    def write(self) -> int:
        """Writes what was noted; returns how many users. What cannot be written is kept for the next time."""
        with self._lock:
            batch, self._newest = self._newest, {}
        if not batch:
            return 0
        try:
            with transaction.atomic():
                for use in sorted(batch.values(), key=lambda each: each.user_id):  # one order: no deadlock
                    _write(use)
        except Error as error:
            log.warning("last uses not written yet: %s", type(error).__name__)
            with self._lock:
                self._newest = batch | self._newest
            return 0
        return len(batch)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._noted.wait()
            self._noted.clear()
            self.write()
            connection.close_if_unusable_or_obsolete()
            self._stop.wait(WRITE_EVERY)


def _write(use: Use) -> None:
    rows = RegistryUser.objects.filter(pk=use.user_id)
    newer = rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=use.at))
    newer.update(last_used_at=use.at, last_used_from=use.address, last_used_with=use.client)


uses = Uses()
