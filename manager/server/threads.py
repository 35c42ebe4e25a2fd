"""Runs a WSGI application in threads, and hands out its answer so that no thread waits for whoever reads it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from manager.server.draining import draining
from manager.server.environ import Environ
from manager.server.fair_queue import Line

WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Result = TypeVar("Result")

_READS = frozenset({"GET", "HEAD"})
AT_ONCE = 256 * 1024  # bytes of an answer that are made in one go; nearly every answer is shorter


class File:
    """PEP 3333's file wrapper: the server sends the file itself, from where it lies."""

    def __init__(self, file: Any, block_size: int = 64 * 1024) -> None:
        self._file, self._block_size = file, block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(self._block_size), b"")

    def close(self) -> None:
        self._file.close()

    @property
    def path(self) -> str:
        """Return where the file is; "" for a part of one, and for what only looks like one."""
        name = getattr(self._file, "name", "")
        return name if isinstance(name, str) else ""


@dataclass(slots=True)
class Answer:
    start: dict[str, Any]  # ASGI's http.response.start
    first: bytes
    rest: Iterator[bytes] | None  # None when `first` is all
    path: str  # of the file to send instead of both
    close: Callable[[], None]


class Threads:
    """`application` in `count` threads; who waits for one waits in a fair line."""

    def __init__(self, application: WsgiApplication, count: int) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="web")
        self._line = Line(count)

    async def answer(self, environ: Environ, send: Send, *, address: str, sends_files: bool) -> None:
        """Run it in a thread. Raise Refused when too many wait."""
        environ["wsgi.file_wrapper"] = File
        whose = address, "reads" if environ["REQUEST_METHOD"] in _READS else "writes"
        answer = await self._run(whose, partial(_call, self._application, environ, sends_files=sends_files))
        answer.start["headers"] += draining.headers()
        try:
            await send(answer.start)
            if answer.path:
                await send({"type": "http.response.pathsend", "path": answer.path})
                return
            part: bytes | None = answer.first
            while answer.rest and part is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await self._run(whose, partial(_next, answer.rest), begun=True)
            await send({"type": "http.response.body", "body": part or b""})
        finally:
            if answer.rest:
                await self._run(whose, answer.close, begun=True)

    async def _run(
        self, whose: tuple[str, str], work: Callable[[], Result], *, begun: bool = False
    ) -> Result:
        async with self._line.turn(*whose, begun=begun):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _call(application: WsgiApplication, environ: Environ, *, sends_files: bool) -> Answer:
    start: dict[str, Any] = {"type": "http.response.start"}

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        start["status"] = int(status.split(" ", 1)[0])
        start["headers"] = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]

    result = application(environ, start_response)
    close: Callable[[], None] = getattr(result, "close", lambda: None)
    if isinstance(result, File) and result.path and sends_files:
        close()
        return Answer(start, b"", None, result.path, close)
    try:
        parts = iter(result)
        first = _next(parts)
        following = _next(parts) if first is not None and len(first) >= AT_ONCE else None
    except BaseException:
        close()
        raise
    if following is None:
        close()
        return Answer(start, first or b"", None, "", close)
    return Answer(start, first or b"", _chain(following, parts), "", close)


def _chain(part: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield part
    yield from rest


def _next(parts: Iterator[bytes]) -> bytes | None:
    """Return the next AT_ONCE bytes or a little more; None at the end."""
    chunks, length = [], 0
    for part in parts:
        chunks.append(part)
        length += len(part)
        if length >= AT_ONCE:
            break
    return b"".join(chunks) if chunks else None
