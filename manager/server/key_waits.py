"""Lets a job whose issuer has a new key wait for it: most clients ask once, and fail where they are told to come again.

Waiting is on the event loop and keeps nobody else back.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

MOST, EACH = 50, 5  # that wait at once in a process; of them from one network
STEP, LONGEST = 0.25, 4.0  # seconds

Look = Callable[[frozenset[int]], object]


class KeyWaits:
    """`look` returns what is another value after an attempt to fetch the keys of these issuers (ids)."""

    def __init__(
        self,
        look: Look,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._sleep, self._clock = look, sleep, clock
        self._waiting: Counter[str] = Counter()  # by network
        self._seen: dict[frozenset[int], tuple[float, object]] = {}

    async def wait(self, issuers: frozenset[int], network: str) -> bool:
        """Wait until their keys were fetched or could not be, LONGEST at most. Without room, return False at once."""
        if self._waiting.total() >= MOST or self._waiting[network] >= EACH:
            return False
        self._waiting[network] += 1
        try:
            before = self._state(issuers)
            ends = self._clock() + LONGEST
            while self._clock() < ends and self._state(issuers) == before:
                await self._sleep(STEP)
        finally:
            self._waiting[network] -= 1
            self._waiting = +self._waiting
            if not self._waiting:
                self._seen.clear()
        return True

    def _state(self, issuers: frozenset[int]) -> object:
        """Look once in a STEP, however many wait for the same."""
        seen = self._seen.get(issuers)
        if seen is None or self._clock() - seen[0] >= STEP:
            seen = self._seen[issuers] = self._clock(), self._look(issuers)
        return seen[1]
