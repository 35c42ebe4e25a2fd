"""How many pushes a second are applied: `make bench T=event-rates`.

BASE=<revision>     measure that one, too, in the same hour
BACKLOG=10000       events that came while no worker was there
PAGES=1             beside pages that are requested all the while
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.load.panel import ROOT, checked_out
from tests.load.sync import link, write
from tests.load.tokens import environment, manage
from tests.parts import images, postgres, processes, registries

IMAGES, MANIFESTS = 10, 100
HERE = Path(__file__).parent
HEAD = """\
EVENTS of pushes to {images} images with {manifests} tags each; one worker, Distribution 3.1 on the same cores{beside}.
A second by the clock, and CPU of the worker for each{base}."""


def measure(folder: Path) -> None:
    revision = os.environ.get("BASE", "")
    beside = ", beside pages" if os.environ.get("PAGES") else ""
    base = f"; and for {revision}" if revision else ""
    print(HEAD.format(images=IMAGES, manifests=MANIFESTS, beside=beside, base=base), flush=True)
    with ExitStack() as stack:
        trees = [ROOT]
        if revision:
            trees.append(stack.enter_context(checked_out(revision, folder / "base")))
        print("SQLite")
        _print([_rates(tree, folder / f"sqlite{number}", "") for number, tree in enumerate(trees)])
        cluster = stack.enter_context(postgres.cluster())
        found = []
        for number, tree in enumerate(trees):
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE tree{number}")
            address = f"{cluster.url.rpartition('/')[0]}/tree{number}"
            found.append(_rates(tree, folder / f"postgresql{number}", address))
        print("PostgreSQL")
        _print(found)


def _rates(tree: Path, folder: Path, address: str) -> list[dict[str, float]]:
    env = environment(tree, folder, address) | {"REGISTRY_PORT": str(processes.free_port())}
    prepares = (tree / "manager/management/commands/prepare.py").exists()  # as older ones call it
    manage(tree, env, "prepare" if prepares else "init_data_dir")
    manage(tree, env, "migrate", "--verbosity", "0")
    manage(tree, env, "collectstatic", "--no-input", "--verbosity", "0")  # of the pages beside
    env["BENCH_BACKLOG"] = os.environ.get("BACKLOG") or "10000"
    env["BENCH_IMAGES"] = json.dumps(_fill(folder / "registry" / "docker/registry/v2"))
    config = json.loads((folder / "registry-config" / "registry.yml").read_text())
    registry = registries.start("3.1", config, folder)
    try:
        with _pages(tree, env) if os.environ.get("PAGES") else ExitStack():
            program = (HERE / "measured_events.py").read_text()
            told = manage(tree, env, "shell", "--verbosity", "0", "--command", program)
    finally:
        registry.stop()
    return [json.loads(line[5:]) for line in told.splitlines() if line.startswith("RATE ")]


@contextmanager
def _pages(tree: Path, env: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command"]
    program = (HERE / "pages_beside.py").read_text()
    with subprocess.Popen([*command, program], cwd=tree, env=env, stdin=subprocess.PIPE) as asking:
        yield
        assert asking.stdin
        asking.stdin.close()


def _fill(root: Path) -> dict[str, list[str]]:
    """Write the registry's storage as pushes would leave it. Return image → digests, of one tag after another."""
    found: dict[str, list[str]] = {}
    for name in (f"image{number}" for number in range(IMAGES)):
        folder = root / "repositories" / "bench" / name
        for number in range(MANIFESTS):
            image = images.Image(env=[f"OF={name}:{number}"])
            for blob in image.blobs:
                algorithm, hexes = blob.digest.split(":")
                write(root / "blobs" / algorithm / hexes[:2] / hexes / "data", blob.content)
            for blob in image.blobs[:-1]:
                link(folder / "_layers", blob.digest)
            link(folder / "_manifests" / "revisions", image.digest)
            write(folder / "_manifests" / "tags" / f"v{number}" / "current" / "link", image.digest.encode())
            found.setdefault(name, []).append(image.digest)
    return found


def _print(found: list[list[dict[str, float]]]) -> None:
    for each in zip(*found, strict=True):
        ours, *base = each
        against = f"{base[0]['rate']:>10,.0f}/s{ours['rate'] / base[0]['rate']:>8.1f} ×" if base else ""
        cpu = f"{1000 * ours['cpu']:.2f} ms"
        print(f"  {ours['label']:<52}{ours['rate']:>8,.0f}/s{cpu:>10}{against}", flush=True)
