"""Keeps the installation's processes running as a supervisor does, and kills one in turn."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import processes

LOOK = 0.05  # seconds
REST = 2.0  # seconds that a victim may be idle before it is killed anyway


@dataclass
class Kept:
    """A program that is started again whenever it has ended, however it did."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    folder: Path
    starts: int = 0
    started_at: float = 0
    running: processes.Running = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.starts, self.started_at = self.starts + 1, time.time()
        self.running = processes.start(
            self.name, self.command, log=self.folder / f"{self.name}.log", env=self.env
        )

    def ended(self) -> bool:
        return self.running.popen.poll() is not None


@dataclass(frozen=True)
class Kill:
    at: float
    name: str
    how: str


class Supervisor:
    """To be used by one thread that lives on: a child is told to end when the thread that started it has ended."""

    def __init__(self, seed: int, *, rest: float = REST) -> None:
        self.rest = rest
        self.kept: dict[str, Kept] = {}
        self.kills: list[Kill] = []
        self.choice = random.Random(seed)

    def add(self, each: Kept) -> None:
        self.kept[each.name] = each

    def watch(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Until `done`, at most so long; what has ended is started again. Returns whether it was done."""
        ends = time.monotonic() + seconds
        while not (well := done()) and time.monotonic() < ends:
            for each in self.kept.values():
                if each.ended():
                    each.start()
            time.sleep(LOOK)
        return well

    def kill_next(self, names: Sequence[str]) -> Kill:
        """Kill the next of `names`, in the middle of its work, where it has some.

        In the first round all of it, as when a container ends; in the second one process of it, as when memory is
        short; and so on.
        """
        turn, place = divmod(len(self.kills), len(names))
        each = self.kept[names[place]]
        leader = each.running.popen.pid
        children = below(leader) if turn % 2 else []
        busy = at_work(children or [leader, *below(leader)], self.rest)
        kill = Kill(time.time(), each.name, "a child" if children else "all")
        with suppress(ProcessLookupError):
            if children:
                os.kill(self.choice.choice(busy or children), signal.SIGKILL)
            else:
                os.killpg(leader, signal.SIGKILL)
        self.kills.append(kill)
        return kill

    def stop(self) -> None:
        for each in self.kept.values():
            each.running.popen.send_signal(each.running.goodbye)
        for each in self.kept.values():
            each.running.stop(5)


def at_work(pids: Sequence[int], rest: float) -> list[int]:
    """Those that compute just now; none after a while in which nobody did."""
    ends = time.monotonic() + rest
    while time.monotonic() < ends:
        if busy := [pid for pid in pids if computes(pid)]:
            return busy
        time.sleep(0.001)
    return []


def computes(pid: int) -> bool:
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError, IndexError):
            if path.read_text().rpartition(")")[2].split()[0] == "R":
                return True
    return False


def below(pid: int) -> list[int]:
    """The children of a process. Python's own helper, which follows shared memory, is none that serves."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                child = path.parent
                if b"resource_tracker" not in (child / "cmdline").read_bytes():
                    found.append(int(child.name))
    return sorted(found)
