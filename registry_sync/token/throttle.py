"""Slows down guessing, and only guessing: a right password is never counted, delayed or refused.

Passwords hold 190 random bits, so this protects the database and the log, not the passwords. Counts are kept
in this process: with several processes the bound is that many times higher, which is still a bound.
"""

import threading
from collections import OrderedDict

WINDOW = 60  # seconds
FAILURES = 30  # within one window, from one address for one username
REMEMBERED = 10_000


class Throttle:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def failed(self, address: str, username: str, *, now: int) -> int:
        """Counts a failure. Returns the seconds to wait, 0 while the bound is not passed."""
        key = (address, username[:12])
        with self._lock:
            began, count = self._failures.pop(key, (now, 0))
            if now - began >= WINDOW:
                began, count = now, 0
            self._failures[key] = (began, count + 1)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)
        return WINDOW - (now - began) if count + 1 > FAILURES else 0


throttle = Throttle()
