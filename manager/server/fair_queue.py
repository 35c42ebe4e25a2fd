"""The line before the threads: who waits takes turns by address, so that one who asks a lot delays itself."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from manager.server.bodies import Refused

WAITING = 512


class Line:
    """At most `turns` at work and `waiting` in line; of one address at most half of the places that are free.

    What waits takes turns by its kind and then by its address: a crowd that signs in does not stand before each page.
    """

    def __init__(self, turns: int, waiting: int = WAITING) -> None:
        self._turns = turns
        self._places = waiting
        self._kinds: OrderedDict[str, OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str, kind: str, *, begun: bool = False) -> AsyncIterator[None]:
        """Wait for a turn. Raise Refused when the line is too long for this address, unless its answer has begun.

        Half an answer helps nobody, and what it holds must be let go.
        """
        if self._turns:
            self._turns -= 1
        else:
            await self._wait(address, kind, begun=begun)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, address: str, kind: str, *, begun: bool) -> None:
        own_waiting = sum(len(line.get(address, ())) for line in self._kinds.values())
        if not begun and 2 * (own_waiting + 1) > self._places - 1:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE, "The panel has too much to do; try again.", retry_after=2
            )
        turn = asyncio.get_running_loop().create_future()
        self._kinds.setdefault(kind, OrderedDict()).setdefault(address, deque()).append(turn)
        self._places -= 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was ours already
                self._next()
            raise

    def _next(self) -> None:
        """Pass the turn on to the next kind in line, and in it to the next address."""
        while self._kinds:
            kind, line = self._kinds.popitem(last=False)
            address, waiting = line.popitem(last=False)
            turn = waiting.popleft()
            self._places += 1
            if waiting:
                line[address] = waiting
            if line:
                self._kinds[kind] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._turns += 1
