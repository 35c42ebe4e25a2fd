"""The line before the threads: who waits takes turns by address, so that one who asks a lot delays itself."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from manager.server.bodies import Refused

WAITING = 512


class Line:
    """At most `turns` at work and `waiting` in line; of one address at most half of the places that are free."""

    def __init__(self, turns: int, waiting: int = WAITING) -> None:
        self._turns = turns
        self._places = waiting
        self._line: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, address: str, *, begun: bool = False) -> AsyncIterator[None]:
        """Raises Refused when the line is too long for this address, unless its answer has begun: half an answer
        helps nobody, and what it holds must be let go."""
        if self._turns:
            self._turns -= 1
        else:
            await self._wait(address, begun=begun)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, address: str, *, begun: bool) -> None:
        mine = self._line.get(address, ())
        if not begun and 2 * (len(mine) + 1) > self._places - 1:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE, "The panel has too much to do; try again.", retry_after=2
            )
        turn = asyncio.get_running_loop().create_future()
        self._line.setdefault(address, deque()).append(turn)
        self._places -= 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was ours already
                self._next()
            raise

    def _next(self) -> None:
        """Passes the turn on to the next address in line."""
        while self._line:
            address, waiting = self._line.popitem(last=False)
            turn = waiting.popleft()
            self._places += 1
            if waiting:
                self._line[address] = waiting
            if not turn.done():
                turn.set_result(None)
                return
        self._turns += 1
