"""One foreground group of processes: all of them run, or none."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from multiprocessing.context import ForkProcess
from queue import Empty, SimpleQueue
from typing import BinaryIO

from manager.standalone import process_group

POLL_SECONDS = 0.2  # between two looks while the processes start
START_SECONDS = 120  # that they may take until all answer
STOP_SECONDS = 10  # that those which are told to end may take, before they are killed
COLORS = (36, 33, 32, 35)  # of a terminal, one for each process
_STOP = ""  # in the queue of names: nobody ended, and all shall


class Group:
    """`ended` is the process that ended by itself, `silent` are those that did not answer in time."""

    def __init__(self) -> None:
        self.ended = ""
        self.silent: list[str] = []
        self._work: dict[str, Callable[[], object]] = {}
        self._stop_first: set[str] = set()
        self._processes: dict[str, ForkProcess | subprocess.Popen[bytes]] = {}
        self._outputs: dict[str, BinaryIO] = {}
        self._printers: list[threading.Thread] = []
        # Names of processes that ended, and what is to be done by the main thread. Signal handlers may write to a
        # SimpleQueue, whatever they interrupt.
        self._events: SimpleQueue[str | Callable[[], None]] = SimpleQueue()
        self._replaced: dict[str, threading.Event] = {}  # whose end is meant: set when it has ended
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
        for name in self._processes:
            self._attend(name)
        threading.Thread(target=self._wait_until_ready, args=(ready, when_ready), daemon=True).start()
        self.ended = self._next_end()
        self._stop()
        return 1 if self.ended or self.silent else 0

    def call(self, work: Callable[[], None]) -> None:
        """Have the main thread call it, while the processes run: for `replace`. From any thread."""
        self._events.put(work)

    def replace(self, name: str, argv: list[str], env: dict[str, str]) -> None:
        """End the process of this name, and start a program in its place. In the main thread only."""
        ended = self._replaced[name] = threading.Event()
        _send(self._processes[name], signal.SIGTERM)
        if not ended.wait(STOP_SECONDS):
            _send(self._processes[name], signal.SIGKILL)
            ended.wait()
        del self._replaced[name]
        itself = [sys.executable, "-I", "-S", process_group.__file__, str(os.getpid()), name]
        process = subprocess.Popen(  # noqa: S603 (our own commands)
            [*itself, *argv],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert isinstance(process.stdout, io.BufferedReader)
        self._processes[name], self._outputs[name] = process, process.stdout
        self._attend(name)

    def _attend(self, name: str) -> None:
        """Print what the process prints, and wait for its end."""
        printer = threading.Thread(target=self._print, args=(name, self._outputs[name]), daemon=True)
        printer.start()
        self._printers.append(printer)
        threading.Thread(target=self._watch, args=(name, self._processes[name]), daemon=True).start()

    def _next_end(self) -> str:
        while callable(event := self._events.get()):
            event()
        return event

    def _start(self, name: str, stop_signals: list[signal.Signals]) -> None:
        reading, writing = os.pipe()
        self._outputs[name] = os.fdopen(reading, "rb")
        parent = os.getpid()

        def in_its_process() -> None:
            process_group.leave(parent, name)
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

    def _watch(self, name: str, process: ForkProcess | subprocess.Popen[bytes]) -> None:
        process.join() if isinstance(process, ForkProcess) else process.wait()
        # What a killed process left: workers that keep its ports and its output.
        _send(process, signal.SIGKILL)
        if name in self._replaced:
            self._replaced[name].set()
        else:
            self._events.put(name)

    def _print(self, name: str, output: BinaryIO) -> None:
        color = COLORS[list(self._work).index(name) % len(COLORS)] if sys.stdout.isatty() else None
        width = max(map(len, self._work))
        for line in output:
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
            printer.join(timeout=5)  # a process that left its group may keep the output open

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


def _send(process: ForkProcess | subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the process and all that it started. macOS answers EPERM for a group that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(_pid(process), number)


def _pid(process: ForkProcess | subprocess.Popen[bytes]) -> int:
    assert process.pid, "it was not started"
    return process.pid


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
    """Return True for errors that the registry logs at every push: a client asks for each blob before it sends it.

    And for those that `reclaim` causes when it asks whether pushes are taken (registry_sync/reclaim/writes.py).
    """
    if "response completed with error" in text:
        return "http.response.status=404" in text or "registry-manager/doctor/manifests/none" in text
    return "error closing blobwriter" in text and "file already closed" in text
