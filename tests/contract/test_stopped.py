"""A worker that is stopped (SIGSTOP, a frozen machine) is succeeded within seconds, and writes nothing afterwards."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import push
from tests.contract.test_killed import INVENTORY, TAKE, WORK, Installed, install
from tests.parts import images, processes

pytestmark = [pytest.mark.contract, pytest.mark.long]

STOPPED = """
import importlib, os, signal
from registry_sync import panel_client
module, _dot, name = "{point}".rpartition(".")
holder, _dot, inner = module.rpartition(".")
place = getattr(importlib.import_module(holder), inner) if inner[0].isupper() else importlib.import_module(module)
true = getattr(place, name)
def stopped(*arguments, **options):
    answer = true(*arguments, **options)
    setattr(place, name, true)  # once
    print("STOPS", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    return answer
setattr(place, name, stopped)
{work}
"""
DUE = """
from registry_sync import panel_client
from django.utils import timezone
from registry_sync.models import Event
Event.objects.exclude(due_at=None).update(due_at=timezone.now())
"""
READ = "registry_sync.client.RegistryClient.manifest"  # it has an answer that will be an old one
WRITING = (
    "registry_sync.inventory.writer.count_tags"  # in the transaction, with everything locked that it writes
)
COUNTING = "registry_sync.events.pull_counts.count"  # likewise


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    yield from install(request, tmp_path_factory.mktemp("stopped"))


@pytest.mark.parametrize("point", [READ, WRITING, COUNTING])
def test_a_stopped_worker_is_succeeded_and_writes_nothing_late(
    there: Installed, point: str, tmp_path: Path
) -> None:
    if point != READ and "DATABASE_URL" not in there.env:
        pytest.skip("Whoever is stopped in a transaction of SQLite's has all of it.")
    assert inventory(there, DUE + WORK["reconcile"]) == there.truth()
    tell(there, f"{point}-old")
    if point == READ:  # what it reads when it confirms that one; nobody tells of it
        assert there.shell(DUE + WORK["events"]).returncode == 0
        push(there.registry, "team/app", "latest", images.Image(env=["SALT=untold"]))
    if point == COUNTING:
        tell(there, "pulled", action="pull")
    code = STOPPED.format(point=point, work=DUE + WORK["events"])
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", code]
    log = tmp_path / "log"
    worker = processes.start("worker", command, log=log, env=there.env)
    worker.wait_until(lambda: "STOPS" in log.read_text() and state(worker.popen.pid) == "T", "stop")
    tell(there, f"{point}-new")  # the tag moves on
    worker.wait_until(lambda: inventory(there, DUE + WORK["events"]) == there.truth(), "successor")
    worker.popen.send_signal(signal.SIGCONT)
    worker.popen.wait(processes.PATIENCE)
    assert inventory(there) == there.truth()


def inventory(there: Installed, *work: str) -> list[list[str]]:
    (after,) = there.inventories(*work, INVENTORY)
    return after


def tell(there: Installed, salt: str, action: str = "push") -> None:
    digest = push(there.registry, "team/app", "latest", images.Image(env=[f"SALT={salt}"]))
    target = {"mediaType": images.MANIFEST, "repository": "team/app", "tag": "latest", "digest": digest}
    events = {"events": [{"id": salt, "action": action, "target": target, "actor": {"name": "someone"}}]}
    assert there.shell(TAKE.format(body=json.dumps(events).encode())).returncode == 0


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
