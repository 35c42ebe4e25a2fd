"""Clients that begin a request and then send one byte a second: `python -m tests.load.slow SPEC.json`, until stopped.

The spec has [port, the request's beginning] for each client. Who is answered or cut off begins anew.
"""

import json
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path


class Client:
    def __init__(self, port: int, beginning: str) -> None:
        self.port, self.beginning = port, beginning.encode()
        self.socket: socket.socket | None = None

    def drip(self) -> bool:
        """Whether the server had ended it, by an answer or without."""
        ended = self.socket is not None and (self._heard() or not self._sent(b"x"))
        if ended and self.socket is not None:
            self.socket.close()
            self.socket = None
        if self.socket is None:
            with suppress(OSError):
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=2)
                self._sent(self.beginning)
        return ended

    def _heard(self) -> bool:
        assert self.socket is not None
        return bool(select.select([self.socket], [], [], 0)[0])

    def _sent(self, what: bytes) -> bool:
        assert self.socket is not None
        try:
            self.socket.sendall(what)
        except OSError:
            return False
        return True


def main(spec: list[tuple[int, str]]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    clients = [Client(port, beginning) for port, beginning in spec]
    began, ended = time.monotonic(), 0
    try:
        for second in range(600):
            ended += sum(client.drip() for client in clients)
            time.sleep(max(0, began + second + 1 - time.monotonic()))
    finally:
        print(json.dumps({"ended": ended}), flush=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
