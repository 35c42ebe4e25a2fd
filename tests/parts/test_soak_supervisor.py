"""Who `make soak` kills, and that it comes back."""

import os
import signal
from pathlib import Path

import pytest

from tests.load.soak.supervisor import Kept, Supervisor, below
from tests.parts.processes import PATIENCE

FAMILY = ["sh", "-c", "sleep infinity & sleep infinity & wait"]


@pytest.fixture
def family(tmp_path: Path) -> Kept:
    return Kept("family", FAMILY, os.environ, tmp_path)


def test_all_of_it_is_killed_and_then_a_child(family: Kept) -> None:
    watched = Supervisor(seed=1, rest=0)  # whoever sleeps is never at work
    watched.add(family)
    first = family.running
    try:
        assert watched.watch(PATIENCE, lambda: len(below(first.popen.pid)) == 2)
        children = below(first.popen.pid)

        kill = watched.kill_next(["family"])
        assert (kill.name, kill.how) == ("family", "all")
        assert watched.watch(PATIENCE, lambda: family.running is not first)
        assert first.popen.wait() == -signal.SIGKILL
        assert watched.watch(
            PATIENCE, lambda: not any(Path(f"/proc/{child}/cwd").exists() for child in children)
        )
        assert family.starts == 2

        assert watched.watch(PATIENCE, lambda: len(below(family.running.popen.pid)) == 2)
        assert watched.kill_next(["family"]).how == "a child"
        assert watched.watch(PATIENCE, lambda: len(below(family.running.popen.pid)) == 1)
        assert not family.ended()
        assert family.starts == 2
    finally:
        os.killpg(family.running.popen.pid, signal.SIGKILL)
        family.running.popen.wait()
