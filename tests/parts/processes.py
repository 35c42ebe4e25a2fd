"""Starts real programs for tests, waits until they answer, and leaves none behind.

The only place in the tests that polls: everything else waits for an answer or an event.
"""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 240  # seconds until what never comes is given up; no measure of how quick anything is
LOOK = 30  # seconds of one look at a server, which may have lost what was asked while it began; then it is asked anew


class PartError(RuntimeError):
    """A program did not start, did not answer in time, or ended early; the text ends with its log."""


@dataclass
class Running:
    """A started program: `popen` leads a process group of its own and writes to `log`."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    goodbye: signal.Signals

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Return once `ready()`; PartError when the program ends or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while True:
            looked = time.monotonic()
            ended = self.popen.poll() is not None  # asked before: the last that it did counts
            if ready():
                return
            if ended:
                raise PartError(f"{self.name} ended with {self.popen.returncode}.\n{self.log_end()}")
            if looked > deadline:
                self.stop()
                raise PartError(f"{self.name} had no {what} after {seconds} s.\n{self.log_end()}")
            # Some ask the whole panel: their looks leave most of a processor to what they wait for.
            time.sleep(min(max(0.03, 2 * (time.monotonic() - looked)), 5))

    def stop(self, seconds: float = 30) -> None:
        """Ask it to end; after `seconds` kill its whole group. Stopping twice is harmless."""
        if self.popen.poll() is not None:
            return
        self.popen.send_signal(self.goodbye)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def log_end(self, characters: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-characters:]


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    goodbye: signal.Signals = signal.SIGTERM,
) -> Running:
    """Start `command` as the leader of a new process group, its output appended to `log`; no signal is ignored."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*_fresh_signals(), *_dies_with_us(goodbye), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            cwd=cwd,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            start_new_session=True,
        )
    return Running(name, popen, log, goodbye)


def _dies_with_us(goodbye: signal.Signals) -> list[str]:
    """A killed test run cannot stop what it started; the kernel does it then (util-linux's setpriv)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", goodbye.name.removeprefix("SIG"), "--"] if setpriv else []


@cache
def _fresh_signals() -> list[str]:
    """What our parent ignores (nohup: SIGHUP) every child would ignore too (coreutils' env, 8.31 or newer)."""
    command = ["env", "--default-signal", "--"]
    known = shutil.which("env") and subprocess.run([*command, "true"], check=False, capture_output=True)
    return command if known and known.returncode == 0 else []


def free_port() -> int:
    """A loopback TCP port that nobody uses, and that no other test process is given while this one runs.

    Each process has a block of ports, below those that the kernel gives out by itself, and holds it by listening on
    the first. A port comes again only after all others of the block.
    """
    return next(port for port in _ports if _unused(port))


def ports() -> dict[str, str]:
    """A port for each part of `make run`, as its environment names them."""
    return {name: str(free_port()) for name in ("PORT", "TOKEN_PORT", "REGISTRY_PORT")}


def _block() -> Iterator[int]:
    for first in BLOCKS:
        if holder := _listening(first):
            with holder:
                yield from itertools.cycle(range(first + 1, first + BLOCKS.step))
    raise PartError(f"Every block of ports from {BLOCKS.start} to {BLOCKS.stop} is taken.")


BLOCKS = range(10_000, 32_000, 500)
_ports = _block()


def _unused(port: int) -> bool:
    with _listening(port) or nullcontext() as probe:
        return probe is not None


def _listening(port: int) -> socket.socket | None:
    """None where another does."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def tcp_answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=LOOK)):
            return True
    except OSError:
        return False


def unix_answers(path: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        probe.settimeout(LOOK)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def http_answers(url: str) -> bool:
    """Whether `url` (plain http) answers with anything below 500."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=LOOK)) as connection:
        try:
            connection.request("GET", parts.path or "/")
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False
