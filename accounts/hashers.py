"""Argon2 for persons: few at a time, one more in line, and the rest are told to come again.

Each costs 100 MiB and a tenth of a second, and whoever stands in line holds one of the threads that answer
`docker pull`: a flood of log-ins must leave one of a process's four threads to them.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from accounts.errors import TooMany

AT_ONCE = min(os.cpu_count() or 1, 2)
IN_LINE = 1
_line = threading.BoundedSemaphore(AT_ONCE + IN_LINE)
_places = threading.BoundedSemaphore(AT_ONCE)


class BoundedArgon2Hasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        with _place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _place():
            return super().verify(password, encoded)


@contextmanager
def _place() -> Iterator[None]:
    if not _line.acquire(blocking=False):
        raise TooMany(_("Too many people are signing in at this moment; try again."), wait=1)
    try:
        with _places:
            yield
    finally:
        _line.release()
