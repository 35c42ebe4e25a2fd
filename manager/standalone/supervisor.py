"""One foreground group of processes: all of them run, or none."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue

POLL_SECONDS = 0.2  # between two looks while the processes start
START_SECONDS = 60  # that they may take until all answer
STOP_SECONDS = 10  # that those which are told to end may take, before they are killed
COLORS = (36, 33, 32, 35)  # of a terminal, one for each process
_STOP = ""  # in the queue of names: nobody ended, and all shall


class Group:
    """`ended` is the process that ended by itself, `silent` are those that did not answer in time."""

    def __init__(self) -> None:
        self.ended = ""
        self.silent: list[str] = []
        self._commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._stop_first: set[str] = set()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._printers: list[threading.Thread] = []
        # Names of processes that ended. Signal handlers may write to a SimpleQueue, whatever they interrupt.
        self._events: SimpleQueue[str] = SimpleQueue()
        self._stopping = False

    def add(self, name: str, argv: list[str], env: dict[str, str], *, stop_first: bool = False) -> None:
        """With `stop_first` it has ended before the others are told to: it would report that they are gone."""
        self._commands[name] = argv, env
        if stop_first:
            self._stop_first.add(name)

    def run(self, ready: Mapping[str, Callable[[], bool]], when_ready: Callable[[], None]) -> int:
        """Block until all have ended. Return 0 when a signal asked for it, else 1.

        `ready` says of each process whether it answers; `when_ready` is called once when all do.
        """
        stop_signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` sets it
            stop_signals.append(signal.SIGHUP)
        for number in stop_signals:
            signal.signal(number, lambda *_: self._events.put(_STOP))
        # By this thread: the kernel ends them when the thread that started them ends.
        for name in self._commands:
            self._start(name)
        threading.Thread(target=self._wait_until_ready, args=(ready, when_ready), daemon=True).start()
        self.ended = self._events.get()
        self._stop()
        return 1 if self.ended or self.silent else 0

    def _start(self, name: str) -> None:
        argv, env = self._commands[name]
        # Open files stay open: the lock of lockfile.py is theirs too.
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            [*_ends_with_its_parent(), *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True, close_fds=False,
        )  # fmt: skip
        self._processes[name] = process
        printer = threading.Thread(target=self._print, args=(name, process), daemon=True)
        printer.start()
        self._printers.append(printer)
        threading.Thread(target=self._watch, args=(name, process), daemon=True).start()

    def _watch(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        # What a killed process left: workers that keep its ports and its output.
        _send(process, signal.SIGKILL)
        self._events.put(name)

    def _print(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        color = COLORS[list(self._commands).index(name) % len(COLORS)] if sys.stdout.isatty() else None
        width = max(map(len, self._commands))
        for line in process.stdout or ():
            text = line.decode(errors="replace").rstrip("\r\n")
            if _is_usual(text):
                continue
            prefix = f"{datetime.now():%H:%M:%S} {name:{width}} | "  # noqa: DTZ005 (for whoever looks at it)
            # Nobody reads any more, or their encoding lacks a letter; the process must not wait for that.
            with suppress(OSError, ValueError):
                print(f"\033[{color}m{prefix}\033[0m{text}" if color else prefix + text, flush=True)  # noqa: T201

    def _wait_until_ready(
        self, ready: Mapping[str, Callable[[], bool]], when_ready: Callable[[], None]
    ) -> None:
        waiting, end = dict(ready), time.monotonic() + START_SECONDS
        while waiting and not self._stopping:
            if time.monotonic() > end:
                self.silent = list(waiting)
                self._events.put(_STOP)
                return
            waiting = {name: answers for name, answers in waiting.items() if not answers()}
            time.sleep(POLL_SECONDS)
        if not self._stopping:
            when_ready()

    def _stop(self) -> None:
        self._stopping = True
        left = {*self._processes} - {self.ended}
        for names in (left & self._stop_first, left - self._stop_first):
            self._end(left, names)
        for printer in self._printers:
            printer.join(timeout=1)  # a process that left its group may keep the output open

    def _end(self, left: set[str], names: set[str]) -> None:
        """Return when `names` are out of `left`, as is every other that ends meanwhile."""
        end = time.monotonic() + STOP_SECONDS
        for name in names & left:
            _send(self._processes[name], signal.SIGTERM)
        while names & left:
            try:
                left.discard(self._events.get(timeout=max(0.0, end - time.monotonic())))
            except Empty:
                end += STOP_SECONDS
                for name in names & left:
                    _send(self._processes[name], signal.SIGKILL)


def _send(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """To the process and all that it started. macOS answers EPERM for a group that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _ends_with_its_parent() -> list[str]:
    """Have the kernel end it with its parent, where there is util-linux."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _is_usual(text: str) -> bool:
    """Return True for errors that the registry logs at every push: a client asks for each blob before it sends it."""
    if "response completed with error" in text:
        return "http.response.status=404" in text
    return "error closing blobwriter" in text and "file already closed" in text
