"""What `make run` starts, however it ends: nothing is left behind, and the next run finds everything as it was."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest

from tests.parts import processes, team
from tests.parts.processes import Running

pytestmark = [pytest.mark.contract, pytest.mark.long]
COMMAND = (sys.executable, "manage.py", "run")
Start = Callable[[], Running]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    ports = processes.ports()
    return os.environ | ports | {"DATA_DIR": str(tmp_path / "a folder")}


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts the set and waits for its last line; what a test leaves running is stopped."""
    started: list[Running] = []

    def start() -> Running:
        log = tmp_path / f"run-{len(started)}.log"
        started.append(processes.start("make run", COMMAND, log=log, env=environment))
        started[-1].wait_until(lambda: "first operator:" in log.read_text(), "operator's link")
        return started[-1]

    yield start
    for running in started:
        running.stop()


def test_a_killed_run_leaves_nothing_and_the_next_one_starts(
    start: Start, environment: dict[str, str]
) -> None:
    killed = start().popen
    killed.kill()
    killed.wait()
    again = start()
    again.popen.send_signal(signal.SIGHUP)  # the terminal is closed
    assert again.popen.wait(processes.PATIENCE) == 0
    assert again.log_end().endswith("stopped\n")
    assert not any(processes.tcp_answers(int(environment[name])) for name in processes.ports())


def test_when_it_is_ready_the_registry_was_read_and_a_namespace_can_be_made(
    start: Start, environment: dict[str, str]
) -> None:
    start()
    code = """
from accounts.models import Person
from accounts.pages.http import principal_for
from accounts.services import accounts
from namespaces.services import namespaces
by = principal_for(Person.objects.create_user("ada@example.com"), {})
print("MADE", namespaces.create(by=by, account=accounts.open_account(by=by, name="Team"), name="team"))
"""
    assert "MADE team" in team.shell(environment, code)


def test_a_second_run_is_refused_with_a_sentence(start: Start, environment: dict[str, str]) -> None:
    first, other = start(), processes.ports()
    assert f"runs already on {environment['DATA_DIR']} (process {first.popen.pid})" in refused(environment)
    assert "runs already" in refused(environment | other)
    elsewhere = environment | {"DATA_DIR": f"{environment['DATA_DIR']} 2"}
    assert f"Port {environment['PORT']} is in use" in refused(elsewhere)
    assert "must be different ports" in refused(elsewhere | {"REGISTRY_PORT": environment["PORT"]})


def refused(environment: dict[str, str]) -> str:
    """The one line that it ends with."""
    done: CompletedProcess[str] = run(COMMAND, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line
