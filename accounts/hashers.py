"""Argon2 for persons: one at a time in a process, a few in line, and the rest are told to come again.

Each takes 100 MiB and, with its eight lanes, every core for a tenth of a second; and whoever stands in line holds one
of the threads that answer `docker pull`: a flood of log-ins must leave one of a process's four to them.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from accounts.errors import TooMany

IN_LINE = 3  # with the one that is being hashed
_line = threading.BoundedSemaphore(IN_LINE)
_place = threading.Lock()


class BoundedArgon2Hasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn() -> Iterator[None]:
    if not _line.acquire(blocking=False):
        raise TooMany(_("Too many people are signing in at this moment; try again."), wait=1)
    try:
        with _place:
            yield
    finally:
        _line.release()
