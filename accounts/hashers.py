"""Argon2 for persons: one at a time in a process, a few in line, and the rest are told to come again.

Each takes 100 MiB and, with its eight lanes, every core for a tenth of a second; and whoever stands in line holds one
of the threads that answer pages: a flood of log-ins must leave one of a process's four to them. Places are a
share of each network, so that a flood from one turns away nobody who comes from another.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from allauth.core import context
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from accounts.common.client_ip import client_network
from accounts.common.errors import RateLimited
from accounts.common.fair_share import gives_way

IN_LINE = 3  # with the one that is being hashed
PATIENCE = 10.0  # seconds: two hashes, on a machine that is busy


class Crowded(RateLimited):
    """No password was compared: this is no guess."""

    def __init__(self) -> None:
        super().__init__(_("Too many people are signing in at this moment."), wait=1)


class BoundedArgon2Hasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        with line.turn(_place()):
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with line.turn(_place()):
            return super().verify(password, encoded)


class Line:
    """First come, first served, one at a time. In a full one the newest of the place with most in it gives way."""

    def __init__(self, most: int, *, patience: float = PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._lock = threading.Lock()
        self._line: list[_Turn] = []

    def __len__(self) -> int:
        return len(self._line)

    @contextmanager
    def turn(self, place: str) -> Iterator[None]:
        """Wait for a turn. Raise Crowded for whom there is no place, or not for long enough."""
        turn = _Turn(place)
        self._come(turn)
        try:
            if not turn.called.wait(self._patience) or turn.gave_way:
                raise Crowded
            yield
        finally:
            self._leave(turn)

    def _come(self, turn: "_Turn") -> None:
        with self._lock:
            self._line.append(turn)
            if len(self._line) > self._most:
                other = self._line.pop(gives_way([each.place for each in self._line]))
                other.gave_way = True
                other.called.set()
            self._line[0].called.set()

    def _leave(self, turn: "_Turn") -> None:
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)
            if self._line:
                self._line[0].called.set()


class _Turn:
    def __init__(self, place: str) -> None:
        self.place = place
        self.called = threading.Event()
        self.gave_way = False


def _place() -> str:
    """Whose share it is: the network that the request came from; "" where there is none, as in a command."""
    request = context.request
    return client_network(request.META) if request else ""


line = Line(IN_LINE)
