"""What is noted in memory while tokens are issued, and written afterwards, some at a time, by a thread of its own.

A synchronous UPDATE for each token would cost almost half of the token door's speed (docs/architecture.md).
"""

import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Generic, Protocol, Self, TypeVar

from django.db import Error, connection, transaction

log = logging.getLogger(__name__)
WRITE_EVERY = 1.0  # seconds


class Note(Protocol):
    @property
    def key(self) -> tuple[str, ...]:
        """What it is about; of each there is one note at a time."""

    def after(self, earlier: Self) -> Self:
        """This note, when there was an earlier one with its key that is not written yet."""


Kind = TypeVar("Kind", bound=Note)


class Batch(Generic[Kind]):
    """Notes since the last write, at most `most` of them: what does not fit is lost, and the process is not."""

    def __init__(self, name: str, write: Callable[[list[Kind]], None], *, most: int) -> None:
        self._name, self._write_all, self._most = name, write, most
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._notes: dict[tuple[str, ...], Kind] = {}
        self._thread: threading.Thread | None = None
        self._noted = threading.Event()

    def note(self, note: Kind) -> None:
        with self._lock:
            self._add(note)
        self._noted.set()

    def start(self) -> None:
        """Begins writing in the background; once per process."""
        with self._lock:
            if self._thread:
                return
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        # Not atexit, which does nothing in a server's worker process.
        Finalize(None, self.write, exitpriority=0)

    def write(self) -> int:
        """Writes what was noted; returns how many. What cannot be written is kept for the next time."""
        with self._writing:  # at the end of a process, what the thread has begun is waited for
            return self._write_noted()

    def _write_noted(self) -> int:
        with self._lock:
            notes, self._notes = self._notes, {}
        if not notes:
            return 0
        try:
            with transaction.atomic():
                self._write_all([notes[key] for key in sorted(notes)])  # one order: no deadlock
        except Error as error:
            log.warning("%s not written yet: %s", self._name, type(error).__name__)
            self._put_back(notes)
            return 0
        return len(notes)

    def forget(self) -> None:
        with self._lock:
            self._notes = {}

    def _add(self, note: Kind) -> None:
        earlier = self._notes.get(note.key)
        if earlier:
            note = note.after(earlier)
        elif len(self._notes) >= self._most:
            return
        self._notes[note.key] = note

    def _put_back(self, notes: dict[tuple[str, ...], Kind]) -> None:
        with self._lock:
            later, self._notes = self._notes, notes
            for note in later.values():
                self._add(note)

    def _run(self) -> None:
        while True:
            self._noted.wait()
            self._noted.clear()
            self.write()
            connection.close_if_unusable_or_obsolete()
            time.sleep(WRITE_EVERY)
