"""One foreground group of processes: all of them run, or none."""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

GRACE = 0.2  # seconds between two looks while the parts are still being born
PR_SET_PDEATHSIG = 1  # of Linux's prctl
PATIENCE = 60  # seconds that the parts may take until they answer

Part = str
Answers = Callable[[], bool]


class Group(Manager):  # type: ignore[misc]
    """Honcho's manager, knowing which part ended by itself and whether a person asked for the end."""

    def __init__(self) -> None:
        super().__init__(_Lines(sys.stdout))
        self._process_ctor = _Watched
        self.ended: Part | None = None
        self.silent: list[Part] = []

    def add(self, name: Part, argv: list[str], env: dict[str, str]) -> None:
        # `exec`: the shell that honcho starts must not stand between a signal and the part.
        self.add_process(name, f"exec {shlex.join([*_ends_with_its_parent(), *argv])}", env=env)

    def run(self, answers: Mapping[Part, Answers], when_ready: Callable[[], None]) -> int:
        """Block until all parts have ended. 0 when a signal asked for it, else 1."""
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` sets it
            signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        waiter = threading.Thread(target=self._wait, args=(answers, when_ready), daemon=True)
        waiter.start()
        self.loop()
        return 1 if self.ended or self.silent else 0

    def terminate(self) -> None:
        """Honcho 2.0 fails on a signal in the first moments, while it does not know all process ids."""
        if not self._all_started():
            threading.Timer(GRACE, self.terminate).start()
            return
        if not self._terminating:
            self.ended = next((name for name, part in self._processes.items() if "returncode" in part), None)
        super().terminate()

    def _wait(self, answers: Mapping[Part, Answers], when_ready: Callable[[], None]) -> None:
        waiting, end = dict(answers), time.monotonic() + PATIENCE
        while waiting and not self._terminating:
            if time.monotonic() > end:
                self.silent = list(waiting)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            waiting = {name: answer for name, answer in waiting.items() if not answer()}
            time.sleep(GRACE)
        if not self._terminating:
            when_ready()


class _Watched(Process):  # type: ignore[misc]
    """One part, and the process of honcho's that reads its output; neither outlives who started it."""

    def run(self, *arguments: Any, **options: Any) -> None:
        with suppress(AttributeError, OSError):  # not Linux
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        self._child_ctor = _start
        super().run(*arguments, **options)


def _start(command: str, **options: Any) -> "subprocess.Popen[bytes]":
    # Open files stay open: the lock of one.py is theirs too.
    part: subprocess.Popen[bytes] = Popen(command, close_fds=False, **options)
    threading.Thread(target=_sweep_after, args=(part,), daemon=True).start()
    return part


def _sweep_after(part: "subprocess.Popen[bytes]") -> None:
    """End what a killed part left: workers that keep its output open, for which honcho would wait for ever."""
    part.wait()
    with suppress(ProcessLookupError):
        os.killpg(part.pid, signal.SIGKILL)


def _ends_with_its_parent() -> list[str]:
    """Have the kernel end it with its parent, where there is util-linux."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


class _Lines(Printer):  # type: ignore[misc]
    """Honcho's printer without honcho's own remarks: what a person must know, `run` says in a sentence.

    And without the errors that the registry logs at every push: a client asks for each blob before it sends it.
    """

    def write(self, message: "Message[Any]") -> None:
        if message.name == SYSTEM_PRINTER_NAME or _is_usual(message):
            return
        super().write(message)


def _is_usual(message: "Message[Any]") -> bool:
    text = (
        message.data if isinstance(message.data, str) else bytes(message.data or b"").decode(errors="replace")
    )
    if "response completed with error" in text:
        return "http.response.status=404" in text
    return "error closing blobwriter" in text and "file already closed" in text
