"""Asks at a fixed pace, on connections that stay open: `python -m tests.load.paced SPEC.json`, a process of its own.

The spec is {"seconds": …, "precise": …, "asks": [the fields of Ask, …]}; after its time, or when it is told to end, it
prints a summary of each by name. A question that had to wait for the answer before it counts from when it was due: so
a server that stops for a second has no fewer slow answers than one that goes on. What got no answer counts as long as
it waited.
"""

import gc
import heapq
import json
import math
import os
import re
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 3  # seconds at the end for answers that are under way
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Ask:
    """`every`: seconds between two questions of one connection, which takes `requests` in turn.

    `patient`: who waits for an answer asks no more than the next question afterwards, as a page does.
    """

    name: str
    port: int
    requests: list[str]
    connections: int
    every: float
    statuses: list[int] = field(default_factory=lambda: [200])
    patient: bool = False
    asked: int = 0
    failed: int = 0
    took: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def next_request(self) -> bytes:
        self.asked += 1
        return self.requests[self.asked % len(self.requests)].encode()

    def summary(self, seconds: float) -> dict[str, Any]:
        """`rate`: answers in a second. Milliseconds; `open50`, `open99`: that one never got an answer."""
        rows = sorted([(took, False) for took in self.took] + [(waited, True) for waited in self.waited])
        said: dict[str, Any] = {"asked": len(rows), "failed": self.failed, "rate": len(self.took) / seconds}
        for percent in (50, 99):
            took, unanswered = rows[math.ceil(len(rows) * percent / 100) - 1] if rows else (math.inf, True)
            said |= {f"p{percent}": 1000 * took, f"open{percent}": unanswered}
        return said


class Line:
    """One connection: idle until `due`, then busy until its answer is whole."""

    def __init__(self, ask: Ask, due: float) -> None:
        self.ask, self.due = ask, due
        self.late = False  # the answer before came after `due`
        self.since: float | None = None  # while busy: from when the answer's time counts
        self.socket: socket.socket | None = None
        self.heard = b""

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.ask.port), timeout=1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


class Loop:
    """Lines that are idle wait in a heap for when they are due, busy ones in the selector for their answers."""

    def __init__(
        self, asks: list[Ask], seconds: float, selector: selectors.BaseSelector, patience: float = PATIENCE
    ) -> None:
        self.selector, self.busy, self.patience = selector, 0, patience
        self.begin = time.perf_counter() + 0.1
        self.end = self.begin + seconds
        self.lines = [
            Line(ask, self.begin + ask.every * n / ask.connections)
            for ask in asks
            for n in range(ask.connections)
        ]
        self.idle = [(line.due, id(line), line) for line in self.lines]
        heapq.heapify(self.idle)

    def stop(self, *_signal: object) -> None:
        self.end = min(self.end, time.perf_counter())

    def run(self) -> float:
        """The seconds in which it asked."""
        while (now := time.perf_counter()) < self.end + self.patience:
            due = self.idle[0][0] if self.idle else self.end
            if due <= now and due < self.end:
                self.send(heapq.heappop(self.idle)[2])
                wait = 0.0
            elif now < self.end:
                wait = min(due, self.end) - now
            elif self.busy:
                wait = self.end + self.patience - now
            else:
                break
            for key, _events in self.selector.select(min(wait, 0.5)):
                self.hear(key.data)
        for line in self.lines:
            self.count_waiting(line, time.perf_counter())
        return self.end - self.begin

    def close(self) -> None:
        for line in self.lines:
            if line.socket is not None:
                line.socket.close()
        self.selector.close()

    def count_waiting(self, line: Line, now: float) -> None:
        if line.since is not None:
            line.ask.waited.append(now - line.since)
            line.due += line.ask.every
        while line.due < self.end and not line.ask.patient:
            line.ask.waited.append(now - line.due)
            line.due += line.ask.every

    def send(self, line: Line) -> None:
        line.since = line.due if line.late else time.perf_counter()
        self.busy += 1
        request = line.ask.next_request()
        try:
            if line.socket is None:
                line.socket = line.connect()
                self.selector.register(line.socket, selectors.EVENT_READ, line)
            line.socket.sendall(request)
        except OSError:
            self.lost(line)

    def hear(self, line: Line) -> None:
        assert line.socket is not None
        try:
            heard = line.socket.recv(262_144)
        except OSError:
            heard = b""
        if not heard:  # also an idle connection that the server closes, which it may
            self.lost(line)
            return
        line.heard += heard
        if line.since is not None and (status := whole(line.heard)):
            self.done(line, failed=status not in line.ask.statuses)

    def lost(self, line: Line) -> None:
        if line.socket is not None:
            self.selector.unregister(line.socket)
            line.socket.close()
            line.socket = None
        if line.since is not None:
            self.done(line, failed=True)

    def done(self, line: Line, *, failed: bool) -> None:
        now = time.perf_counter()
        assert line.since is not None
        line.ask.took.append(now - line.since)
        line.ask.failed += failed
        self.busy -= 1
        line.since, line.heard = None, b""
        line.due += line.ask.every
        if line.ask.patient:
            line.due = max(line.due, now)
        line.late = line.due < now
        heapq.heappush(self.idle, (line.due, id(line), line))


def whole(heard: bytes) -> int:
    """The status of an answer that has come whole, else 0."""
    head, end, body = heard.partition(b"\r\n\r\n")
    if not end:
        return 0
    status = int(head[9:12])
    if status in (204, 304):
        return status
    if length := _LENGTH.search(head):
        return status if len(body) >= int(length[1]) else 0
    return status if body.endswith(b"0\r\n\r\n") else 0


def hurry() -> None:
    """Others' turns on the processor would be counted as the server's; without the right to it, they are."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    gc.disable()


def main(spec: dict[str, Any]) -> None:
    asks = [Ask(**each) for each in spec["asks"]]
    # select() waits for microseconds, epoll for whole milliseconds but on more than a thousand connections.
    selector = selectors.SelectSelector() if spec["precise"] else selectors.DefaultSelector()
    if spec["precise"]:
        hurry()
    loop = Loop(asks, spec["seconds"], selector)
    signal.signal(signal.SIGTERM, loop.stop)
    seconds = loop.run()
    print(json.dumps({ask.name: ask.summary(seconds) for ask in asks}), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
