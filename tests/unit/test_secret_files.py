"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from accounts.common import secret_files


def test_what_cannot_take_its_place_leaves_no_draft(tmp_path: Path) -> None:
    """`make run` tries again every few seconds while the disk is full."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        secret_files.replace(tmp_path / "taken", b"content")
    with pytest.raises(TypeError):
        secret_files.replace(tmp_path / "new", "no bytes")  # type: ignore[arg-type]
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_of_two_that_create_it_one_wins_and_no_draft_is_left(tmp_path: Path) -> None:
    assert secret_files.create(tmp_path / "key", b"first")
    assert not secret_files.create(tmp_path / "key", b"second")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("key", b"first")]
