"""A worker that is killed at any point leaves an inventory that was true once, and the next one goes on."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests
from django.conf import settings

from tests.contract.conftest import bearer, push
from tests.parts import images, patient, processes, registries, team
from tests.parts.forks import Forks
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.long]

# Where a reconcile, or the applier of events, is killed: before the function named does anything.
DURING_RECONCILE = [
    "registry_sync.reconcile.writer.write_catalog",
    "registry_sync.reconcile.shards.create_shards",
    "registry_sync.reconcile.repositories.fully_read",  # read, nothing written
    "registry_sync.reconcile.repositories.store_reading",  # manifests fetched
    "registry_sync.reconcile.writer.write_changes_of_images",  # in the transaction, before any tag
    "registry_sync.inventory.writer.count_tags",  # in the transaction, tags and moves written
    "registry_sync.reconcile.drift.record",  # in the transaction, all of it written
    "registry_sync.reconcile.shards.finish",  # all committed, not said so
    "registry_sync.reconcile.run._end",
]
DURING_EVENTS = [
    "registry_sync.inventory.refresh.store_reading",
    "registry_sync.inventory.late_history.write_timelines",
    "registry_sync.inventory.writer.count_tags",
    "registry_sync.reconcile.drift.explain",
]

WORK = {
    "reconcile": "from registry_sync.reconcile.run import reconcile; run = reconcile(panel_client.registry_client())",
    "events": "from registry_sync.events.processor import process_due; process_due(panel_client.registry_client())",
}
DIE = """
import importlib, os, signal
from registry_sync import panel_client
module, _dot, name = "{point}".rpartition(".")
place = importlib.import_module(module)
getattr(place, name)
setattr(place, name, lambda *_a, **_k: os.kill(os.getpid(), signal.SIGKILL))
{work}
"""
# The minute after which a dead worker's leases are over.
LATER = """
from django.utils import timezone
from registry_sync import panel_client
from registry_sync.models import Event, Lease, Shard
Lease.objects.update(until=timezone.now())
Shard.objects.filter(done_at=None).update(lease_until=None)
Event.objects.exclude(due_at=None).update(due_at=timezone.now())
"""
# Nothing is due any more, and the inventory is the registry.
SETTLE = LATER + WORK["reconcile"] + LATER + WORK["events"]
TAKE = """
from django.utils import timezone
from registry_sync.events.views import store_events
store_events({body!r}, timezone.now())
"""
INVENTORY = """
import json
from namespaces.models import Image, Tag
rows = Tag.objects.select_related("image__namespace").order_by("image__name", "name")
inventory = [[row.image.repository, row.name, row.manifest_id] for row in rows]
assert all(image.tag_count == image.tags.count() for image in Image.objects.all())
print("INVENTORY", json.dumps(inventory), flush=True)
"""
NAMESPACE = """
from accounts.models import Account
from namespaces.models import Namespace
account = Account.objects.create(name="a", handle="a")
Namespace.objects.create(account=account, name="team")
from accounts.principal import SYSTEM
from namespaces.services import webhooks
webhooks.create(by=SYSTEM, account=account, url="https://hooks.example", format="cloudevents",
                event_types=["image.pushed", "image.restored", "tag.deleted"])
"""
# Each move has a message and each message a move, whoever died; what a check finds new is told by its event alone.
TOLD = """
from collections import Counter
from namespaces.models import TagHistoryEntry, WebhookDelivery
told = Counter(WebhookDelivery.objects.values_list("history_id", flat=True))
moves = TagHistoryEntry.objects.exclude(how="found", old="")
missing = set(moves.values_list("pk", flat=True)) - set(told)
invented = set(told) - set(moves.values_list("pk", flat=True))
assert not missing and not invented and set(told.values()) <= {1}, (missing, invented, told)
"""


@dataclass(frozen=True)
class Installed:
    """A panel without its processes: each piece of its work is a process of its own here."""

    env: dict[str, str]
    registry: RunningRegistry
    forks: Forks

    def shell(self, *code: str) -> subprocess.CompletedProcess[str]:
        return self.forks.run("\n".join(code))

    def inventories(self, *work: str) -> list[list[list[str]]]:
        """One for each INVENTORY in the work."""
        done = self.shell(*work)
        assert done.returncode == 0, done.stderr
        return drawn(done.stdout)

    def truth(self) -> list[list[str]]:
        """As the registry lists itself, asked without any code of ours."""
        found = []
        for name in ("team/app", "team/other"):
            url, headers = f"{self.registry.url}/v2/{name}", bearer(name, "pull")
            tags = requests.get(f"{url}/tags/list", headers=headers, timeout=120).json()["tags"]
            for tag in sorted(tags or []):
                head = requests.head(
                    f"{url}/manifests/{tag}", headers=headers | {"Accept": images.MANIFEST}, timeout=120
                )
                found.append([name, tag, head.headers["Docker-Content-Digest"]])
        return found


def drawn(text: str) -> list[list[list[str]]]:
    lines = [line.removeprefix("INVENTORY") for line in text.splitlines() if line.startswith("INVENTORY")]
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    yield from install(request, tmp_path_factory.mktemp("killed"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """One of its own: what events told is not to mend what a reconcile shall."""
    yield from install(request, tmp_path_factory.mktemp("told"), SETTLE)


def install(request: pytest.FixtureRequest, folder: Path, *work: str) -> Iterator[Installed]:
    env = os.environ | {
        "DATA_DIR": str(folder / "data"),
        "SECRETS_DIR": str(settings.SECRETS_DIR),
        "REGISTRY_PORT": str(processes.free_port()),
        "LOG_LEVEL": "ERROR",
        "TOKEN_SERVICE": settings.TOKEN_SERVICE,
        "TOKEN_ISSUER": settings.TOKEN_ISSUER,
        **patient.ENV,
    }
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(url, autocommit=True) as cluster:
            cluster.execute(f"CREATE DATABASE {folder.name}")
        env["DATABASE_URL"] = url.removesuffix("postgres") + folder.name
    team.install(env, NAMESPACE)
    config = json.loads((folder / "data" / "registry-config" / "registry.yml").read_text())
    running = registries.start("2.8", config, folder)
    change(running, "first.first")  # whichever test comes first finds something
    made = Installed(env, running, Forks(env, folder))
    made.inventories(*work)
    yield made
    made.forks.stop()
    running.stop()


@pytest.mark.parametrize("point", DURING_RECONCILE)
def test_killed_in_a_reconcile(installed: Installed, point: str) -> None:
    change(installed.registry, point)
    after = installed.truth()
    died = installed.shell(INVENTORY, DIE.format(point=point, work=WORK["reconcile"]))
    assert died.returncode == -signal.SIGKILL, (died.returncode, died.stderr[-500:])
    (before,) = drawn(died.stdout)
    work = LATER + WORK["reconcile"] + "\nassert run.state == 'done', run.problem"
    left, mended = installed.inventories(INVENTORY, TOLD, work, INVENTORY, TOLD)
    for repository in ("team/app", "team/other"):
        now = [row for row in left if row[0] == repository]
        assert now in ([row for row in rows if row[0] == repository] for rows in (before, after))
    assert mended == after


@pytest.mark.parametrize("point", DURING_EVENTS)
def test_killed_while_events_are_applied(told: Installed, point: str) -> None:
    salt = point.replace(".", "-")
    digest = push(told.registry, "team/app", "latest", images.Image(env=[f"SALT={salt}"]))
    target = {"mediaType": images.MANIFEST, "repository": "team/app", "tag": "latest", "digest": digest}
    events = {"events": [{"id": salt, "action": "push", "target": target, "actor": {"name": "someone"}}]}
    died = told.shell(
        TAKE.format(body=json.dumps(events).encode()), DIE.format(point=point, work=WORK["events"])
    )
    assert died.returncode == -signal.SIGKILL, (died.returncode, died.stderr[-500:])
    assert told.inventories(LATER + WORK["events"], INVENTORY, TOLD, SETTLE, TOLD) == [told.truth()]


def change(registry: RunningRegistry, salt: str) -> None:
    """One tag moves, one comes, in each of two repositories; a repository comes with each `salt`."""
    image = images.Image(env=[f"SALT={salt}"])
    for repository in ("team/app", "team/other"):
        push(registry, repository, "latest", image)
        push(registry, repository, salt.rpartition(".")[2], image)
    push(registry, f"orphan/{salt.rpartition('.')[2].strip('_')}", "latest", image)
