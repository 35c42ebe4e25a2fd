"""What is noted in memory while tokens are issued, and written afterwards, some at a time, by one thread.

A synchronous UPDATE for each token would cost almost half of the token door's speed (docs/architecture.md). The bound
is a share of each account and user (fair_share.py); what found no place is counted (dropped_entries.py).
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.util import Finalize
from typing import Any, Generic, Protocol, TypeVar

from django.db import Error, connection, transaction
from django.utils import timezone

from accounts import dropped_entries
from accounts.common.fair_share import Owner, Shares

log = logging.getLogger(__name__)
WRITE_EVERY = 1.0  # seconds


class Note(Protocol):
    @property
    def owner(self) -> Owner:
        """Whose share it takes up."""

    @property
    def key(self) -> tuple[str, ...]:
        """What it is about; of each there is one note at a time."""

    @property
    def count(self) -> int:
        """How many it stands for; 0 where one that gives way is not missed."""


@dataclass(frozen=True, slots=True)
class UserNote:
    """A note about a user."""

    account: int
    username: str

    @property
    def owner(self) -> Owner:
        return self.account, self.username

    @property
    def key(self) -> tuple[str, ...]:
        return (self.username,)

    @property
    def count(self) -> int:
        return 1


Kind = TypeVar("Kind", bound=Note)


@dataclass(frozen=True, slots=True)
class SeenNote:
    """That something was seen, by its name. Nobody misses one that found no place: it is seen again."""

    name: str
    at: datetime

    @property
    def owner(self) -> Owner:
        return 0, ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def count(self) -> int:
        return 0


class Batch(Generic[Kind]):
    """Notes since the last write, at most `most` of them and `each` of one owner; what gives way is counted.

    `merge` makes one note of a new and an earlier one with the same key. Without it the new one replaces the earlier.
    """

    def __init__(
        self,
        kind: str,
        write: Callable[[list[Kind]], None],
        *,
        most: int,
        each: int,
        merge: Callable[[Kind, Kind], Kind] | None = None,
    ) -> None:
        self._kind, self._write_all, self._most, self._each, self._merge = kind, write, most, each, merge
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self.forget()

    def note(self, note: Kind) -> None:
        with self._lock:
            self._add(note)
        _writer.wake()

    def lose(self, username: str, count: int) -> None:
        """Count what is not even noted: more than its owner may have, all at once."""
        if count > 0:
            with self._lock:
                self._lost[username] += count
            _writer.wake()

    def start(self) -> None:
        """Begin writing in the background; once per process."""
        if _writer.begin(self):
            # Not atexit, which does nothing in a server's worker process.
            Finalize(None, self.write, exitpriority=0)

    def write(self) -> int:
        """Write what was noted; return how many. What cannot be written is kept for the next time."""
        with self._writing:  # at the end of a process, what the thread has begun is waited for
            return self._write_noted()

    def _write_noted(self) -> int:
        with self._lock:
            notes, lost = self._notes, self._lost
            self._begin()
        if not len(notes) and not lost:
            return 0
        in_order = sorted((note for _owner, _key, note in notes.items()), key=lambda note: note.key)
        try:
            with transaction.atomic():
                self._write_all(in_order)  # one order: no deadlock
                dropped_entries.note(self._kind, +lost, timezone.now())
        except Error as error:
            log.warning("%s not written yet: %s", self._kind, type(error).__name__)
            self._put_back(notes, lost)
            return 0
        return len(notes)

    def forget(self) -> None:
        with self._lock:
            self._begin()

    def _begin(self) -> None:
        self._notes: Shares[Kind] = Shares(most=self._most, each=self._each)
        self._lost: Counter[str] = Counter()  # by username, which is "" where nobody had signed in

    def _add(self, note: Kind) -> None:
        owner, key = note.owner, note.key
        if self._merge and (earlier := self._notes.get(owner, key)):
            note = self._merge(note, earlier)
        if gone := self._notes.put(owner, key, note):
            (_tenant, username), what = gone
            self._lost[username] += what.count

    def _put_back(self, notes: Shares[Kind], lost: Counter[str]) -> None:
        with self._lock:
            later, self._notes = self._notes, notes
            self._lost += lost
            for _owner, _key, note in later.items():
                self._add(note)


class _Writer:
    """The thread of a process that writes its batches, over one connection to the database."""

    def __init__(self) -> None:
        self._lock, self._noted = threading.Lock(), threading.Event()
        self._batches: list[Batch[Any]] = []

    def begin(self, batch: Batch[Any]) -> bool:
        """Return whether it was not begun before."""
        with self._lock:
            if batch in self._batches:
                return False
            self._batches.append(batch)
            if len(self._batches) == 1:
                threading.Thread(target=self._run, name="write-behind", daemon=True).start()
            return True

    def wake(self) -> None:
        if not self._noted.is_set():
            self._noted.set()

    def _run(self) -> None:
        while True:
            self._noted.wait()
            self._noted.clear()
            for batch in [*self._batches]:
                batch.write()
            connection.close_if_unusable_or_obsolete()
            time.sleep(WRITE_EVERY)


_writer = _Writer()
