"""The sync's half of the benchmark: repositories of ten tags each on real registries."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.parts import images, processes, registries

TAGS = 10
MEASURED: list[tuple[registries.Version, int]] = [("2.8", 1_000), ("3.1", 10_000)]


def measure(folder: Path) -> None:
    for version, repositories in MEASURED:
        _measure(folder / version, version, repositories)


def _measure(folder: Path, version: registries.Version, repositories: int) -> None:
    """Prints one line for each pass."""
    try:
        registries.binary(version)
    except FileNotFoundError:
        print(f"SYNC with Distribution {version}: not installed here")
        return
    print(
        f"SYNC of {repositories:,} repositories × {TAGS} tags; Distribution {version}, SQLite, on the same cores",
        flush=True,
    )
    folder.mkdir()
    one, other = images.Image(), images.Image(env=["A=1"])
    storage = folder / "data" / "registry" / "docker/registry/v2"
    env = os.environ | {
        "DATA_DIR": str(folder / "data"),
        "REGISTRY_PORT": str(processes.free_port()),
        "LOG_LEVEL": "ERROR",
        "BENCH_STORAGE": str(storage),
        "BENCH_OTHER_DIGEST": other.digest,
    }
    _manage(env, "init_data_dir")
    _manage(env, "migrate", "--verbosity", "0")
    fill(storage, repositories, one, other)
    config = json.loads((folder / "data" / "registry-config" / "registry.yml").read_text())
    running = registries.start(version, config, folder)
    try:
        measured = (Path(__file__).parent / "measured_sync.py").read_text()
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", measured]
        subprocess.run(command, env=env, check=True)
    finally:
        running.stop()


def fill(
    root: Path, repositories: int, image: images.Image, other: images.Image, *, namespace: str = "bench"
) -> None:
    """Writes the registry's storage as pushes would leave it; ten thousand real pushes would take minutes."""
    for blob in (*image.blobs, *other.blobs):
        algorithm, hexes = blob.digest.split(":")
        _write(root / "blobs" / algorithm / hexes[:2] / hexes / "data", blob.content)
    for number in range(repositories):
        repository(root / "repositories" / namespace / f"image{number}", TAGS, image, other)


def repository(folder: Path, tags: int, image: images.Image, other: images.Image) -> None:
    """Every tag is `image`; it also holds `other`."""
    for each in (image, other):
        for blob in each.blobs[:-1]:
            _link(folder / "_layers", blob.digest)
        _link(folder / "_manifests" / "revisions", each.digest)
    for tag in range(tags):
        place = folder / "_manifests" / "tags" / f"v{tag}"
        _write(place / "current" / "link", image.digest.encode())
        _link(place / "index", image.digest)


def _link(folder: Path, digest: str) -> None:
    _write(folder / Path(*digest.split(":")) / "link", digest.encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _manage(env: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], env=env, check=True, capture_output=True)
