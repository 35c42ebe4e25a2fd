"""What does not answer is left alone for a while: each who asks would wait for the same time-out."""

import time
from collections.abc import Callable


class Breaker:
    """Refuses for `rest` seconds after a failure. For one process, and shared by its threads."""

    def __init__(self, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self.clock = clock
        self._until = 0.0

    @property
    def may_ask(self) -> bool:
        return self.clock() >= self._until

    def failed(self, rest: float | None = None) -> None:
        """`rest`: seconds, when they are not always the same."""
        self._until = self.clock() + (self._rest if rest is None else rest)
