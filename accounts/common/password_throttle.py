"""Slows down guessing, and only guessing: whoever counts failures alone never delays or refuses a right password.

Passwords hold 190 random bits, so this protects the database and the log, not the passwords. Counts are kept
in this process: with several processes the bound is that many times higher, which is still a bound. Who tries so many
usernames that they are not all remembered is slowed for that, and makes no other be forgotten.
"""

import threading

from accounts.common.client_ip import network_of
from accounts.common.fair_share import Shares

WINDOW = 60  # seconds
FAILURES = 30  # within one window, from one network for one username
REMEMBERED = 10_000
NAMES = 1000  # of them from one network


class PasswordThrottle:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Shares[tuple[int, int]] = Shares(most=REMEMBERED, each=NAMES)

    def failed(self, address: str, username: str, *, now: int) -> int:
        """Count a failure. Return the seconds to wait, 0 while the bound is not passed."""
        place, name = (network_of(address), ""), username[:12]
        with self._lock:
            began, count = self._failures.get(place, name) or (now, 0)
            if now - began >= WINDOW:
                began, count = now, 0
            gone = self._failures.put(place, name, (began, count + 1))
        if count + 1 > FAILURES:
            return WINDOW - (now - began)
        if gone and gone[0] == place:
            return max(WINDOW - (now - gone[1][0]), 0)
        return 0
