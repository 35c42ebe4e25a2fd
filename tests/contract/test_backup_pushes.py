"""A backup that is made while people push is of one moment, and a registry that is newer or older is caught up with."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import push
from tests.parts import fixtures, images, patient, postgres, team
from tests.parts.fixtures import MakeRegistry
from tests.parts.registries import RunningRegistry

pytestmark = pytest.mark.contract
FIRST, MORE = 12, 40  # tags
RECONCILE = """
from django.conf import settings
from registry_sync.client import RegistryClient
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
for _ in range({times}):
    reconcile(RegistryClient(settings.REGISTRY_URL, PanelTokens()))
"""
INVENTORY = """
import json
from django.db.models import F
from namespaces.models import Image, Tag, TagHistoryEntry
from registry_sync.models import SyncRun
tags = dict(Tag.objects.filter(missing_since=None).values_list("name", "manifest_id"))
newest = dict(TagHistoryEntry.objects.order_by("at", "id").values_list("tag", "new"))
print("FOUND", json.dumps({
    "tags": tags, "history": {name: new for name, new in newest.items() if new},
    "counted": sum(Image.objects.values_list("tag_count", flat=True)), "rows": Tag.objects.count(),
    "state": SyncRun.objects.first().state,
}))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    kept |= {"DATA_DIR": str(tmp_path / "data"), **patient.ENV}
    if request.param == "sqlite":
        yield kept
        return
    fixtures.need("postgresql")
    with postgres.running() as url:
        yield kept | {"DATABASE_URL": url}


def inventory(env: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(team.shell(env, INVENTORY).split("FOUND ")[1])
    return found


@contextmanager
def pushing(registry: RunningRegistry, env: dict[str, str], pushed: dict[str, str]) -> Iterator[None]:
    """Push one tag after another, and move `moving` each time, while the panel reads; until MORE are there."""

    def work() -> None:
        for number in range(FIRST, FIRST + MORE):
            image = images.Image(labels={"n": str(number)})
            pushed[f"t{number}"] = push(registry, "team/app", f"t{number}", image)
            pushed["moving"] = push(registry, "team/app", "moving", image)

    pusher = threading.Thread(target=work)
    reading = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", RECONCILE.format(times=30)],
        env=env,
    )
    pusher.start()
    try:
        yield
    finally:
        pusher.join()
        assert reading.wait() == 0


def test_it_is_of_one_moment_and_what_came_before_and_after_is_found(
    env: dict[str, str], make_registry: MakeRegistry, tmp_path: Path
) -> None:
    root = tmp_path / "registry"
    root.mkdir()
    registry, pushed = make_registry("3.1", root=root), dict[str, str]()
    env["REGISTRY_URL"] = registry.url
    for number in range(FIRST):
        pushed[f"t{number}"] = push(
            registry, "team/app", f"t{number}", images.Image(labels={"n": str(number)})
        )
    pushed["moving"] = push(registry, "team/app", "moving", images.Image(labels={"n": "first"}))
    shutil.copytree(root, tmp_path / "older")
    older = dict(pushed)
    team.make(env, new=True)
    team.shell(env, RECONCILE.format(times=1))
    file = tmp_path / "backup.tar"
    (tmp_path / "keys").mkdir()
    keys = tmp_path / "keys" / "keys.tar"
    with pushing(registry, env, pushed):
        team.manage(env, "backup", str(file), "--keys", str(keys))

    new = {name: value for name, value in env.items() if name != "DATABASE_URL"} | {
        "DATA_DIR": str(tmp_path / "new")
    }
    (tmp_path / "new").mkdir()
    team.manage(new, "restore", str(file), "--keys", str(keys))
    then = inventory(new)
    assert then["tags"] == then["history"]
    assert then["counted"] == then["rows"] == len(then["tags"])
    team.shell(new, RECONCILE.format(times=1))
    assert inventory(new)["tags"] == pushed

    old = new | {"DATA_DIR": str(tmp_path / "old")}
    (tmp_path / "old").mkdir()
    elder = make_registry("3.1", root=tmp_path / "older")
    team.manage(old | {"REGISTRY_URL": elder.url}, "restore", str(file), "--keys", str(keys))
    team.shell(old | {"REGISTRY_URL": elder.url}, RECONCILE.format(times=3))
    found = inventory(old)
    assert {name: found["tags"].get(name) for name in older} == older
    lost = set(then["tags"]) - set(older)
    # Tags that vanish at once stay until an operator agrees; a few go by themselves.
    assert set(found["tags"]) - set(older) in (set(), lost)
    assert found["counted"] == found["rows"]
