"""Keeps events about our own reads from delaying events about pushes.

The registry sends an event for each manifest that is read, in one queue with all that is pushed. So each request has
its moment in its User-Agent, the view that receives events notes the last one that came back (events/views.py), and
the reader is never far ahead of that.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

AHEAD_MAX = 64  # manifests that were read and not reported yet
STALLED_SECONDS = 2.0  # seconds without progress; then as many more are read, so that reading never stops

USER_AGENT = "registry-manager"
_STAMPED_AGENT = re.compile(re.escape(USER_AGENT) + r" \(asked ([0-9]{1,10}\.[0-9]{6})\)")


class Stamp(NamedTuple):
    """When a request is made (seconds since 1970), and the User-Agent that says so."""

    at: float
    agent: str


def stamp() -> Stamp:
    at = round(time.time(), 6)
    return Stamp(at, stamped_agent(at))


def stamped_agent(at: float) -> str:
    return f"{USER_AGENT} (asked {at:.6f})"


def requested_at(agent: str) -> float | None:
    """Return the moment in a User-Agent of ours; None in another's."""
    found = _STAMPED_AGENT.fullmatch(agent)
    return float(found[1]) if found else None


class ReadPacer:
    """The pace of one registry, for any number of threads.

    `last_reported`: the moment of the last request that was reported, None while none ever was; called in the thread
    that calls `update`. Without it nothing waits. `clock`: seconds.
    """

    def __init__(
        self,
        last_reported: Callable[[], float | None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._last_reported = last_reported
        self._lock = threading.Lock()
        self._unreported: list[float] = []
        self._progress_at = 0.0
        self._reported = False  # something was, once
        self._never_reported = False  # nothing was ever reported, and it was waited for

    def note_read(self, requested_at: float) -> None:
        """Note that the request of that moment was answered with a manifest, which will be reported."""
        if not self._last_reported:
            return
        with self._lock:
            if not self._unreported:
                self._progress_at = self._clock()
            self._unreported.append(requested_at)

    def is_ahead(self) -> bool:
        """Return True while nothing more should be read."""
        with self._lock:
            if self._never_reported or len(self._unreported) < AHEAD_MAX:
                return False
            if self._clock() - self._progress_at < STALLED_SECONDS:
                return True
            self._never_reported = not self._reported
            self._unreported.clear()
            return False

    def update(self) -> None:
        """To be called all the while that something is read."""
        if not self._last_reported or len(self._unreported) < AHEAD_MAX // 2:
            return
        last_reported = self._last_reported()
        with self._lock:
            self._reported = last_reported is not None
            waited = self._clock() - self._progress_at >= STALLED_SECONDS
            self._never_reported = last_reported is None and (self._never_reported or waited)
            unreported = [at for at in self._unreported if last_reported is None or at > last_reported]
            if self._never_reported:
                unreported = unreported[-AHEAD_MAX:]
            if len(unreported) < len(self._unreported):
                self._unreported, self._progress_at = unreported, self._clock()
