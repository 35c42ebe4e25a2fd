"""What a check of the registry costs beside its bare requests: `make bench T=sync`.

REPOSITORIES=<number>    of ten tags each, in Distribution 3.1 (10,000)
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.load.summary import Row
from tests.parts import images, processes, registries

TAGS, TURNS = 10, 3
HEAD = """\
CHECKS of {repositories:,} repositories × {tags} tags in Distribution {version}, SQLite. CPU of the panel and of the
registry. Then both together, and the clock, divided by what the same requests took that were made bare just before."""


def measure(folder: Path) -> list[Row]:
    repositories = int(os.environ.get("REPOSITORIES", "") or 10_000)
    return [
        *_measure(folder / "2.8", "2.8", min(repositories, 1_000)),
        *_measure(folder / "3.1", "3.1", repositories),
    ]


def costs(folder: Path, repositories: int) -> dict[str, float]:
    """Return check → the panel's own seconds of a core for it, in Distribution 3.1."""
    found = _checks(folder, "3.1", repositories, turns=1)
    return {label: seconds for label, (_ratio, seconds) in found.items()}


def _measure(folder: Path, version: registries.Version, repositories: int) -> list[Row]:
    try:
        registries.binary(version)
    except FileNotFoundError:
        print(f"CHECKS with Distribution {version}: not installed here\n")
        return []
    print(HEAD.format(repositories=repositories, tags=TAGS, version=version))
    print(
        f"  {'':<28}{'requests':>9}{'rows':>9}{'clock':>10}{'panel':>10}{'registry':>10}{'÷ bare':>8}{'clock':>8}"
    )
    found = _checks(folder, version, repositories, say=lambda line: print(line, end="", flush=True))
    print()
    return [
        Row(f"{label}, {repositories:,} × {TAGS} tags, {version}", ratios={"÷ bare": ratio})
        for label, (ratio, _seconds) in found.items()
    ]


def _checks(
    folder: Path,
    version: registries.Version,
    repositories: int,
    *,
    turns: int = TURNS,
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, tuple[float, float]]:
    """Return check → its ratio to the bare requests, and the panel's own seconds. `say` gets a line for each pass."""
    folder.mkdir()
    one, other = images.Image(), images.Image(env=["A=1"])
    storage = folder / "data" / "registry" / "docker/registry/v2"
    env = os.environ | {
        "DATA_DIR": str(folder / "data"),
        "REGISTRY_PORT": str(processes.free_port()),
        "LOG_LEVEL": "ERROR",
        "BENCH_STORAGE": str(storage),
        "BENCH_REPOSITORIES": str(repositories),
        "BENCH_TAGS": str(TAGS),
        "BENCH_TURNS": str(turns),
        "BENCH_DIGEST": one.digest,
        "BENCH_OTHER_DIGEST": other.digest,
    }
    _manage(env, "init_data_dir")
    _manage(env, "migrate", "--verbosity", "0")
    fill(storage, repositories, one, other)
    config = json.loads((folder / "data" / "registry-config" / "registry.yml").read_text())
    running = registries.start(version, config, folder)
    try:
        return _run(env | {"BENCH_REGISTRY_PID": str(running.process.popen.pid)}, say)
    finally:
        running.stop()


def _run(env: dict[str, str], say: Callable[[str], None]) -> dict[str, tuple[float, float]]:
    """Return what the last line of the measuring process says."""
    measured = (Path(__file__).parent / "measured_sync.py").read_text()
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", measured]
    line = ""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if not line.startswith("{"):
                say(line)
    if process.returncode:
        sys.exit("the checks could not be measured")
    found: dict[str, tuple[float, float]] = json.loads(line)
    return found


def fill(
    root: Path, repositories: int, image: images.Image, other: images.Image, *, namespace: str = "bench"
) -> None:
    """Writes the registry's storage as pushes would leave it; ten thousand real pushes would take minutes."""
    for blob in (*image.blobs, *other.blobs):
        algorithm, hexes = blob.digest.split(":")
        write(root / "blobs" / algorithm / hexes[:2] / hexes / "data", blob.content)
    for number in range(repositories):
        repository(root / "repositories" / namespace / f"image{number}", TAGS, image, other)


def repository(folder: Path, tags: int, image: images.Image, other: images.Image) -> None:
    """Every tag is `image`; it also holds `other`."""
    for each in (image, other):
        for blob in each.blobs[:-1]:
            link(folder / "_layers", blob.digest)
        link(folder / "_manifests" / "revisions", each.digest)
    for tag in range(tags):
        place = folder / "_manifests" / "tags" / f"v{tag}"
        write(place / "current" / "link", image.digest.encode())
        link(place / "index", image.digest)


def link(folder: Path, digest: str) -> None:
    write(folder / Path(*digest.split(":")) / "link", digest.encode())


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _manage(env: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], env=env, check=True, capture_output=True)
