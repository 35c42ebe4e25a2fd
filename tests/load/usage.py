"""What programs have taken of the processor."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu(*roots: int) -> float:
    """Seconds that these processes and all below them have computed so far."""
    return sum(cpu_of_each(*roots).values())


def cpu_of_each(*roots: int) -> dict[int, float]:
    """The same of each of them, by its process id."""
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(path.parent.name)] = int(fields[1])
        ticks[int(path.parent.name)] = int(fields[11]) + int(fields[12])
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: ticks[pid] / TICKS for pid in sorted(found & ticks.keys())}


def proportional_memory(pid: int) -> int:
    """Bytes in memory; what several processes share counts for each by its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def command(pid: int) -> str:
    """Its name, and what it was started as without the path of the program."""
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    program, *words = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    return " ".join([f"{name}:", Path(program).name, *words])


def busy(seconds: float = 3) -> float:
    """The share of all processors that is taken while we wait so long."""
    total, idle = _machine()
    time.sleep(seconds)
    total_after, idle_after = _machine()
    return 1 - (idle_after - idle) / (total_after - total)


def _machine() -> tuple[int, int]:
    """Ticks of all processors so far, and those of them in which there was nothing to do."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks), ticks[3] + ticks[4]
