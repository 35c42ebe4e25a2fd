"""The sync's half of the benchmark: 1,000 repositories × 10 tags on a real registry."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.parts import images, processes, registries

REPOSITORIES, TAGS = 1000, 10

# Runs in the measured installation: a sync, what it asked and wrote, and the same requests made bare.
MEASURE = """
import time
from accounts.models import Account
from django.db import connection
from namespaces.models import Image, Manifest, Namespace, Tag
from registry_sync.client import Registry
from registry_sync.connection import OwnTokens
from registry_sync.sync.collect import Reader
from registry_sync.sync.reconcile import reconcile
from django.conf import settings

Namespace.objects.create(account=Account.objects.create(name="b", handle="b"), name="bench")

def timed(work):
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made

def rows():
    return sum(model.objects.count() for model in (Image, Tag, Manifest))

for label in ("first", "unchanged"):
    before = rows()
    seconds, run = timed(lambda: reconcile(Registry(settings.REGISTRY_URL, OwnTokens())))
    assert run.state == "done", run.problem
    print(f"sync, {label:<12} {run.requests:>8,} requests {rows() - before:>8,} rows {seconds:>8.1f} s")

registry = Registry(settings.REGISTRY_URL, OwnTokens())
reader = Reader(registry)
known = dict(Tag.objects.values_list("image__name", "manifest_id"))
def bare():
    names = registry.repositories()
    def ask(name):
        digest = known[name.split("/", 1)[1]]
        for tag in registry.tags(name):
            registry.manifest(name, tag, known=digest)
    reader.each(ask, names)
seconds, _made = timed(bare)
reader.close()
print(f"the same requests, bare {registry.requests:>5,} requests {'–':>8} rows {seconds:>8.1f} s")
"""


def measure(folder: Path) -> None:
    """Prints one line for each pass."""
    print(
        f"SYNC of {REPOSITORIES:,} repositories × {TAGS} tags; real registry, SQLite, both on this machine",
        flush=True,
    )
    port, data = processes.free_port(), folder / "sync"
    data.mkdir()
    env = os.environ | {"DATA_DIR": str(data), "REGISTRY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    _manage(env, "prepare")
    _manage(env, "migrate", "--verbosity", "0")
    fill(data / "registry" / "docker/registry/v2")
    version: registries.Version = "2.8"
    config = json.loads((data / "registry-config" / "registry.yml").read_text())
    running = registries.start(version, config, folder)
    try:
        print(_manage(env, "shell", "--verbosity", "0", "--command", MEASURE), end="")
    finally:
        running.stop()


def fill(root: Path) -> None:
    """Writes the registry's storage as pushes would leave it; ten thousand real pushes would take minutes."""
    image = images.Image()
    for blob in image.blobs:
        algorithm, hexes = blob.digest.split(":")
        _write(root / "blobs" / algorithm / hexes[:2] / hexes / "data", blob.content)
    for number in range(REPOSITORIES):
        repository = root / "repositories" / "bench" / f"image{number}"
        for blob in image.blobs[:-1]:
            _link(repository / "_layers", blob.digest)
        _link(repository / "_manifests" / "revisions", image.digest)
        for tag in range(TAGS):
            place = repository / "_manifests" / "tags" / f"v{tag}"
            _write(place / "current" / "link", image.digest.encode())
            _link(place / "index", image.digest)


def _link(folder: Path, digest: str) -> None:
    _write(folder / Path(*digest.split(":")) / "link", digest.encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _manage(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout
