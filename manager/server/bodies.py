"""Bodies are read whole, within bounds of size, time and memory, before a thread is spent on their request."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

SECONDS = 10  # for a whole body, however it comes
MEMORY = 96 * 1024 * 1024  # of all bodies in a process
# What a connection may hold beside its body; also the server's --http1-buffer-size. An address of 64 KB, which is the
# longest that the server takes, fits in with its headers.
OVERHEAD = 96 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Refused(Exception):
    """No body was read to its end; an HTTP status and a sentence."""

    def __init__(self, status: HTTPStatus, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


class BrokenOff(Exception):
    """The body ended before its end. Most often the client went away; or it cannot be read, and somebody reads on."""


class TooLong(Exception):
    """More than the bound, of which `length` bytes are known."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class Memory:
    """What the bodies of a process hold together. An address may hold half of what is still free.

    The first that is greedy gets a third of all, the next a third of the rest; after ten of them there is room for
    whole forms.
    """

    def __init__(self, total: int = MEMORY) -> None:
        self.free = total
        self._held: Counter[str] = Counter()

    @contextmanager
    def share(self, address: str) -> Iterator[Callable[[int], None]]:
        """Yield a function that takes so many bytes more, or raises Refused; give all of them back at the end."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if 2 * (self._held[address] + size) > self.free - size:
                raise Refused(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "Too much is being sent at once; try again.",
                    retry_after=5,
                )
            self.free -= size
            self._held[address] += size
            taken += size

        try:
            yield take
        finally:
            self.free += taken
            self._held[address] -= taken
            if not self._held[address]:
                del self._held[address]


async def read(
    receive: Receive,
    *,
    most: int,
    announced: int | None,
    take: Callable[[int], None],
    seconds: float = SECONDS,
) -> bytes:
    """Return the body. `announced`: its Content-Length, None if chunked. Raise Refused, TooLong, BrokenOff."""
    if announced is not None and announced > most:
        raise TooLong(announced)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most, take)
    except TimeoutError:
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, f"The request was not sent within {seconds} seconds."
        ) from None


async def _read(receive: Receive, most: int, take: Callable[[int], None]) -> bytes:
    take(OVERHEAD)
    parts: list[bytes] = []
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BrokenOff
        part = message.get("body", b"")
        length += len(part)
        if length > most:
            raise TooLong(length)
        take(len(part))
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)
