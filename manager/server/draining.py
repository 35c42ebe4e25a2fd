"""The end of a worker, by which nobody is cut off: not who keeps a connection, nor who has just been accepted.

1. Every answer says `Connection: close`. Who keeps a connection asks once more on it, and then opens another one.
2. New connections are no longer begun. Linux would reset those that it has begun and the server has not yet accepted.
3. The server is told to end: it answers what it has read, and closes.
"""

import asyncio
import ctypes
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

KEPT_SECONDS = 2.0  # that clients may take to ask once more on a connection that they keep
BEGUN_SECONDS = 2.0  # until what has been begun is answered, or at least read
LOOK = 0.02  # seconds between two looks
LOOKS = 20  # at least, however late they come
_FILES = Path("/proc/self/fd")
_SO_ATTACH_FILTER = 26
# Where struct tcp_info has it: of a listening socket, how many connections wait to be accepted.
_TCP_INFO_UNACKED = 24
# A filter of packets (classic BPF) that drops the first of each new connection: SYN without ACK. Its sender sends it
# again after a second, and then meets another server, or is refused, which a proxy takes for nothing sent.
_WITHOUT_NEW = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # then none of it
    (0x06, 0, 0, 0xFFFFFFFF),  # else all of it
)


class Draining:
    """Whether this process is ending. `kept_seconds`, `begun_seconds`: what it gives to clients, as above."""

    def __init__(self, drain: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._drain = drain
        self.begun = False
        self.kept_seconds, self.begun_seconds = KEPT_SECONDS, BEGUN_SECONDS
        self._task: asyncio.Task[None] | None = None

    def on_signal(self) -> None:
        """Let SIGTERM begin it. In the event loop, once the server has set its own handlers: SIGINT stays as it is."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._begin)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what an answer says in addition."""
        return [(b"connection", b"close")] if self.begun else []

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self._task = asyncio.get_running_loop().create_task(self._drain())


async def _drain() -> None:
    listening = [each for each in _sockets() if _listens(each)]
    try:
        ports = {_port(each) for each in listening}
        kept = _clients(ports)
        await until(lambda: not _clients(ports), draining.kept_seconds)
        for each in listening:
            _begin_no_more(each)
        await asyncio.sleep(LOOK)  # what is being begun gets to the end of its beginning
        # Whoever kept a connection all the time may go on to; whoever came since is about to ask.
        await until(
            lambda: not any(map(_waiting, listening)) and _clients(ports) <= kept, draining.begun_seconds
        )
    finally:
        for each in listening:
            each.close()
        signal.raise_signal(signal.SIGINT)


async def until(
    done: Callable[[], bool], seconds: float, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Wait so long, and for LOOKS at least: in the seconds that a process stood still it has accepted nobody."""
    end, looks = clock() + seconds, 0
    while not done() and (looks < LOOKS or clock() < end):
        await asyncio.sleep(LOOK)
        looks += 1


def _sockets() -> Iterator[socket.socket]:
    """Yield copies of this process's TCP sockets: the server gives us none. Nothing where there is no /proc."""
    for file in _FILES.iterdir() if _FILES.exists() else ():
        with suppress(OSError):  # closed meanwhile
            if str(file.readlink()).startswith("socket:"):
                found = socket.socket(fileno=os.dup(int(file.name)))
                if found.type == socket.SOCK_STREAM and found.family in (socket.AF_INET, socket.AF_INET6):
                    yield found
                else:
                    found.close()


def is_listening() -> bool:
    """Whether this process has begun to. Where there is no /proc nobody knows, and it is taken to."""
    if not _FILES.exists():
        return True
    found = False
    for each in _sockets():
        with each:
            found = found or _listens(each)
    return found


def _listens(found: socket.socket) -> bool:
    return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _port(found: socket.socket) -> int:
    return int(found.getsockname()[1])


def _clients(ports: set[int]) -> set[Any]:
    """Return the addresses of those who are connected to one of our ports."""
    found = set()
    for each in _sockets():
        with each, suppress(OSError):  # it has just gone
            if _port(each) in ports and not _listens(each):
                found.add(each.getpeername())
    return found


def _waiting(listening: socket.socket) -> int:
    """Return how many connections have been begun and not been accepted."""
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_UNACKED + 4)
    return int(struct.unpack_from("I", info, _TCP_INFO_UNACKED)[0])


def _begin_no_more(listening: socket.socket) -> None:
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _WITHOUT_NEW))
    with suppress(OSError):  # not allowed here: a few may be reset, as without it
        listening.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HP", len(_WITHOUT_NEW), ctypes.addressof(program)),
        )


draining = Draining(_drain)
