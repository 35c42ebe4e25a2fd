"""What is read of a registry's own folders; they are laid out as Distribution's filesystem driver does it."""

import os
import time
from pathlib import Path

import pytest

from registry_sync.reclaim import storage

DIGEST = f"sha256:ab{'0' * 62}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "docker/registry/v2"
    blob = top / "blobs/sha256/ab" / DIGEST.partition(":")[2]
    blob.mkdir(parents=True)
    (blob / "data").write_bytes(b"12345")
    (top / "blobs/sha256/cd" / f"cd{'0' * 62}").mkdir(parents=True)  # without data
    for name in ("a", "a/b", "team/app"):
        (top / "repositories" / name / "_layers/sha256").mkdir(parents=True)
    (top / "repositories/a/b/_layers/sha512").mkdir()
    return tmp_path


def test_blobs_weigh_what_their_files_do(root: Path) -> None:
    assert storage.blob_bytes(root, [DIGEST, f"sha256:{'1' * 64}"]) == {DIGEST: 5}
    alive = list[None]()
    storage.blob_bytes(root, [DIGEST] * 3, lambda: alive.append(None))
    assert len(alive) == 3
    assert storage.total_bytes(root) == 5
    assert storage.total_bytes(root / "none") == 0


def test_repositories_may_lie_in_each_other(root: Path) -> None:
    assert sorted(name for name, _folder in storage.repositories(root)) == ["a", "a/b", "team/app"]
    assert storage.repositories_naming(root, "sha512") == ["a/b"]


def test_only_a_blob_that_is_written_now_is_an_upload(root: Path) -> None:
    upload = root / "docker/registry/v2/repositories/team/app/_uploads/one"
    upload.mkdir(parents=True)
    data = upload / "data"
    data.touch()
    assert storage.uploads(root, within=10) == ["team/app"]
    hour_ago = time.time() - 3600
    for path in (data, upload):
        os.utime(path, (hour_ago, hour_ago))
    assert storage.uploads(root, within=10) == []
