"""Looks into a registry's storage on this machine's file system: what its blobs weigh, and whether somebody pushes.

The layout is that of Distribution's filesystem driver, the same in 2.8 and 3.x.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_BLOBS = Path("docker/registry/v2/blobs")
_REPOSITORIES = Path("docker/registry/v2/repositories")


def blob_bytes(
    root: Path, digests: Iterable[str], alive: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Return the bytes of each blob that is there. `alive` is called all the while."""
    found = {}
    for digest in digests:
        alive()
        try:
            found[digest] = _data(root, digest).stat().st_size
        except FileNotFoundError:
            continue
    return found


def total_bytes(root: Path, alive: Callable[[], None] = lambda: None) -> int:
    """Return the bytes of all blobs. `alive` is called all the while."""
    total = 0
    for algorithm in _folders(root / _BLOBS):
        for first in _folders(algorithm):
            alive()
            for blob in _folders(first):
                try:
                    total += (blob / "data").stat().st_size
                except FileNotFoundError:  # an upload that was broken off, or deleted meanwhile
                    continue
    return total


def uploads(root: Path, *, within: float, alive: Callable[[], None] = lambda: None) -> list[str]:
    """Return the repositories into which a blob was written during the last `within` seconds."""
    since, found = time.time() - within, []
    for name, folder in repositories(root):
        alive()
        if any(_written_since(upload, since) for upload in _folders(folder / "_uploads")):
            found.append(name)
    return found


def repositories_naming(root: Path, algorithm: str) -> list[str]:
    """Return the repositories that name a layer or a manifest by a digest of this algorithm."""
    parts = (f"_layers/{algorithm}", f"_manifests/revisions/{algorithm}")
    return [name for name, folder in repositories(root) if any((folder / part).is_dir() for part in parts)]


def repositories(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and folder of each repository. Names may lie in each other, as `a` and `a/b` do."""
    waiting = [(folder.name, folder) for folder in _folders(root / _REPOSITORIES)]
    while waiting:
        name, folder = waiting.pop()
        inner = list(_folders(folder))
        waiting += [(f"{name}/{each.name}", each) for each in inner if not each.name.startswith("_")]
        if any(each.name.startswith("_") for each in inner):
            yield name, folder


def _data(root: Path, digest: str) -> Path:
    algorithm, _colon, value = digest.partition(":")
    return root / _BLOBS / algorithm / value[:2] / value / "data"


def _written_since(upload: Path, moment: float) -> bool:
    try:
        return any(each.stat().st_mtime >= moment for each in (upload, upload / "data") if each.exists())
    except FileNotFoundError:  # it has just ended
        return True


def _folders(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return
