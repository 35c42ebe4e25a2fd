"""One foreground group of processes: all of them run, or none."""

import ctypes
import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from multiprocessing.context import ForkProcess
from queue import Empty, SimpleQueue
from typing import BinaryIO

POLL_SECONDS = 0.2  # between two looks while the processes start
START_SECONDS = 60  # that they may take until all answer
STOP_SECONDS = 10  # that those which are told to end may take, before they are killed
COLORS = (36, 33, 32, 35)  # of a terminal, one for each process
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # of Linux's prctl
_STOP = ""  # in the queue of names: nobody ended, and all shall


class Group:
    """`ended` is the process that ended by itself, `silent` are those that did not answer in time."""

    def __init__(self) -> None:
        self.ended = ""
        self.silent: list[str] = []
        self._work: dict[str, Callable[[], object]] = {}
        self._stop_first: set[str] = set()
        self._processes: dict[str, ForkProcess] = {}
        self._outputs: dict[str, BinaryIO] = {}
        self._printers: list[threading.Thread] = []
        # Names of processes that ended. Signal handlers may write to a SimpleQueue, whatever they interrupt.
        self._events: SimpleQueue[str] = SimpleQueue()
        self._stopping = False

    def add(self, name: str, work: Callable[[], object], *, stop_first: bool = False) -> None:
        """Have `work` called in a process of this name, which shares the memory of what is loaded by then.

        With `stop_first` it has ended before the others are told to: it would report that they are gone.
        """
        self._work[name] = work
        if stop_first:
            self._stop_first.add(name)

    def run(self, ready: Mapping[str, Callable[[], bool]], when_ready: Callable[[], None]) -> int:
        """Block until all have ended. Return 0 when a signal asked for it, else 1.

        `ready` says of each process whether it answers; `when_ready` is called once when all do.
        """
        stop_signals = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` sets it
            stop_signals.append(signal.SIGHUP)
        # Blocked until each process has its own answer to them.
        signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
        # By this thread, because the kernel ends them with it; and before any other, whose locks a fork would copy.
        for name in self._work:
            self._start(name, stop_signals)
        for number in stop_signals:
            signal.signal(number, lambda *_: self._events.put(_STOP))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals)
        for name, process in self._processes.items():
            printer = threading.Thread(target=self._print, args=(name,), daemon=True)
            printer.start()
            self._printers.append(printer)
            threading.Thread(target=self._watch, args=(name, process), daemon=True).start()
        threading.Thread(target=self._wait_until_ready, args=(ready, when_ready), daemon=True).start()
        self.ended = self._events.get()
        self._stop()
        return 1 if self.ended or self.silent else 0

    def _start(self, name: str, stop_signals: list[signal.Signals]) -> None:
        reading, writing = os.pipe()
        self._outputs[name] = os.fdopen(reading, "rb")
        parent = os.getpid()

        def in_its_process() -> None:
            _leave(parent, name)
            for output in self._outputs.values():  # else nobody notices that their reader has ended
                output.close()
            _print_to(writing)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals)
            self._work[name]()

        # Open files stay open: the lock of lockfile.py is theirs too.
        process = multiprocessing.get_context("fork").Process(target=in_its_process, name=name)
        process.start()
        os.close(writing)
        self._processes[name] = process
        with suppress(PermissionError, ProcessLookupError):  # it has done so, or has ended
            os.setpgid(_pid(process), _pid(process))

    def _watch(self, name: str, process: ForkProcess) -> None:
        process.join()
        # What a killed process left: workers that keep its ports and its output.
        _send(process, signal.SIGKILL)
        self._events.put(name)

    def _print(self, name: str) -> None:
        color = COLORS[list(self._work).index(name) % len(COLORS)] if sys.stdout.isatty() else None
        width = max(map(len, self._work))
        for line in self._outputs[name]:
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


def _send(process: ForkProcess, number: signal.Signals) -> None:
    """To the process and all that it started. macOS answers EPERM for a group that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(_pid(process), number)


def _pid(process: ForkProcess) -> int:
    assert process.pid, "it was not started"
    return process.pid


def _leave(parent: int, name: str) -> None:
    """Be in a group of its own, which Ctrl-C does not reach; on Linux under a name, and end with the parent."""
    os.setpgid(0, 0)
    with suppress(AttributeError):
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_NAME, name.encode())
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has ended meanwhile
        sys.exit(1)


def _print_to(writing: int) -> None:
    """Have what the process prints go there line by line; there is nothing for it to read."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in enumerate((nothing, writing, writing)):
        os.dup2(target, number)
    os.close(nothing)
    os.close(writing)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def _is_usual(text: str) -> bool:
    """Return True for errors that the registry logs at every push: a client asks for each blob before it sends it."""
    if "response completed with error" in text:
        return "http.response.status=404" in text
    return "error closing blobwriter" in text and "file already closed" in text
