"""What `make run` starts, however it ends: nothing is left behind, and the next run finds everything as it was."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest

from tests.parts import patient, processes, team
from tests.parts.processes import Running

pytestmark = [pytest.mark.contract, pytest.mark.long]
COMMAND = (sys.executable, "manage.py", "run")


def environment_in(folder: Path) -> dict[str, str]:
    ports = processes.ports()
    return os.environ | ports | {"DATA_DIR": str(folder / "a folder"), **patient.ENV}


def start(environment: dict[str, str], log: Path) -> Running:
    """Starts the set and waits for its last line."""
    running = processes.start("make run", COMMAND, log=log, env=environment)
    running.wait_until(lambda: "first operator:" in log.read_text(), "operator's link")
    return running


@dataclass(frozen=True)
class First:
    environment: dict[str, str]
    running: Running


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    """The first run on its data folder, for those that only ask it something."""
    folder = tmp_path_factory.mktemp("first")
    environment = environment_in(folder)
    running = start(environment, folder / "log")
    yield First(environment, running)
    running.stop()


def test_a_killed_run_leaves_nothing_and_the_next_one_starts(tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    team.put_database(environment)
    killed = start(environment, tmp_path / "killed.log").popen
    killed.kill()
    killed.wait()
    again = start(environment, tmp_path / "again.log")
    again.popen.send_signal(signal.SIGHUP)  # the terminal is closed
    assert again.popen.wait(processes.PATIENCE) == 0
    assert again.log_end().endswith("stopped\n")
    assert not any(processes.tcp_answers(int(environment[name])) for name in processes.ports())


def test_when_it_is_ready_the_registry_was_read_and_a_namespace_can_be_made(first: First) -> None:
    code = """
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts
from namespaces.services import namespaces
by = principal_for(Person.objects.create_user("ada@example.com"), {})
print("MADE", namespaces.create(by=by, account=accounts.open_account(by=by, name="Team"), name="team"))
"""
    assert "MADE team" in team.shell(first.environment, code)


def test_the_schedule_runs_in_the_worker_and_gives_signs_of_life(first: First) -> None:
    code = "from registry_sync.models import Marker; print(*Marker.objects.values_list('name', flat=True))"
    first.running.wait_until(
        lambda: {"beat", "worker"} <= {*team.shell(first.environment, code).split()}, "heartbeats"
    )


def test_a_second_run_is_refused_with_a_sentence(first: First) -> None:
    environment, other = first.environment, processes.ports()
    one = f"runs already on {environment['DATA_DIR']} (process {first.running.popen.pid})"
    assert one in refused(environment)
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
