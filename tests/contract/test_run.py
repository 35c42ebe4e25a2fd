"""`make run` is one group: when a part ends, all end, in a sentence, and nothing stays behind to hold the ports."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import pytest

from manager.standalone.run import answers
from tests.parts import processes, team

pytestmark = [pytest.mark.contract, pytest.mark.long]

PARTS = ("web", "tokens", "worker", "registry")


class Standalone:
    """The set as `make run` starts it, again and again over one data folder."""

    def __init__(self, folder: Path) -> None:
        self.data, self.log = folder / "data", folder / "run.log"
        kept = {
            name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")
        }
        self.env = kept | {"DATA_DIR": str(self.data)} | processes.ports()
        team.put_database(self.env)

    def start(self, *words: str) -> processes.Running:
        self.log.write_text("")
        command = [sys.executable, *(words or ("manage.py", "run"))]
        running = processes.start("make run", command, log=self.log, env=self.env)
        running.wait_until(lambda: "ready:" in self.log.read_text(), "say ready")
        return running

    def living(self) -> dict[int, str]:
        """Every process of the set, with its name as `ps -e` shows it, the oldest first."""
        mine, found = f"DATA_DIR={self.data}".encode(), {}
        for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda each: int(each.name)):
            with suppress(OSError):
                if mine in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "comm").read_text().strip()
        return found

    def is_gone(self) -> None:
        """Return once nothing of the set is left: what was killed takes a moment to end."""
        watch = processes.start("sleep", ["sleep", "infinity"], log=self.log.with_name("watch.log"))
        watch.wait_until(lambda: not self.living(), "end of all parts")
        watch.stop()

    def kill(self, part: str) -> None:
        """The first process of a part; what it has started itself it cannot stop any more."""
        os.kill(next(pid for pid, name in self.living().items() if part in name), signal.SIGKILL)


def test_whatever_is_killed_takes_the_others_along(tmp_path: Path) -> None:
    """Which part dies, the run's seed says: what ends the others is the same for each (below)."""
    standalone, part = Standalone(tmp_path), random.choice(PARTS)
    running = standalone.start()
    standalone.kill(part)
    assert running.popen.wait(processes.PATIENCE) == 1
    assert f"The {part} ended by itself, so everything was stopped" in standalone.log.read_text()
    standalone.is_gone()

    running = standalone.start()
    running.popen.kill()
    running.popen.wait()
    standalone.is_gone()

    running = standalone.start()
    running.stop(processes.PATIENCE)
    assert running.popen.returncode == 0
    standalone.is_gone()


LOADS = """
import threading
import django
django.setup()
from django.contrib.sessions.models import Session
from django.db import connections, DatabaseError
from manager.standalone import parts
try:
    Session.objects.exists()
except DatabaseError:  # it has no tables yet
    pass
parts.preload()
print([thread.name for thread in threading.enumerate()], [each.connection for each in connections.all()])
"""


def test_what_is_loaded_before_the_fork_starts_no_thread_and_leaves_no_connection() -> None:
    """A fork would have the locks of the one without its work, and share the other."""
    done = subprocess.run(
        [sys.executable, "-c", LOADS],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "manager.settings"},
        check=True,
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )
    assert done.stdout == "['MainThread'] [None]\n"


STAND_INS = """
import signal, sys
from manager.standalone.supervisor import Group
group = Group()
for part in sys.argv[1:]:
    group.add(part, signal.pause)
code = group.run({}, lambda: print("ready:", flush=True))
print(f"The {group.ended} ended by itself")
sys.exit(code)
"""


def test_each_part_that_ends_takes_the_others_along(tmp_path: Path) -> None:
    """The same group, of parts that start in no time."""
    standalone = Standalone(tmp_path)
    for part in PARTS:
        running = standalone.start("-c", STAND_INS, *PARTS)
        running.wait_until(lambda: {*standalone.living().values()} >= {*PARTS}, "start of all parts")
        standalone.kill(part)
        assert running.popen.wait(processes.PATIENCE) == 1
        assert f"The {part} ended by itself" in standalone.log.read_text()
        standalone.is_gone()


TAKES_LEAVE = """
import os, signal, subprocess, sys
from pathlib import Path
from manager.standalone.supervisor import Group
def leave(*_):
    subprocess.run([sys.executable, "-c", ""])  # longer than a signal takes
    sys.exit(print("left"))
def part(name):
    signal.signal(signal.SIGTERM, leave)
    Path(f"{name}.up").touch()
    while True:
        signal.pause()
group = Group()
group.add("registry", lambda: part("registry"))
group.add("worker", lambda: part("worker"), stop_first=True)
up = {name: Path(f"{name}.up").exists for name in ("registry", "worker")}
sys.exit(group.run(up, lambda: os.kill(os.getpid(), signal.SIGTERM)))
"""


def test_who_would_miss_the_others_has_ended_before_they_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES_LEAVE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["worker", "registry"], done.stderr
    assert done.returncode == 0


PRINTS = """
import os, sys
from manager.standalone.supervisor import Group
sys.stdout.reconfigure(encoding="ascii")
group = Group()
group.add("web", lambda: os.write(1, b"\\xe2\\x80\\xa6\\nafter it\\n"))
sys.exit(group.run({}, lambda: None))
"""


def test_a_line_that_cannot_be_shown_ends_no_output() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )
    assert "| after it" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n"])
def test_something_else_on_a_port_of_ours_is_no_answer(said: bytes) -> None:
    """What waits for the parts goes on, and says at the end which of them were silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            connection, _address = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(said)

        speaker = threading.Thread(target=speak)
        speaker.start()
        asked = answers(f"http://127.0.0.1:{listening.getsockname()[1]}/healthz", HTTPStatus.OK)
        assert not asked()
        speaker.join()
