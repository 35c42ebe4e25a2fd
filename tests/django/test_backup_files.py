"""Where a backup and its keys are written: behind links, beside others that write there, and when that fails."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from manager.backup import keys, making
from manager.backup.making import BackupError, Wanted


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    data, vault = tmp_path / "data", tmp_path / "vault"
    data.mkdir()
    vault.mkdir()
    yield data, vault
    assert not list(tmp_path.glob("*/.*"))


def write(path: Path, content: bytes) -> None:
    with making._new_file(path) as file:
        file.write(content)


def test_a_link_stays_and_the_file_is_where_it_leads(folders: tuple[Path, Path]) -> None:
    """Else keys that are readable would lie beside the data, though the check looked at the vault."""
    data, vault = folders
    link = data / "keys.tar"
    link.symlink_to(vault / "keys.tar")
    making._check(Wanted(data / "a.tar", link))
    write(link, b"keys")
    assert link.is_symlink()
    assert (vault / "keys.tar").read_bytes() == b"keys"
    (vault / "other.tar").symlink_to(data / "keys-too.tar")
    with pytest.raises(BackupError, match="do not belong beside the data"):
        making._check(Wanted(data / "a.tar", vault / "other.tar"))


def test_nothing_takes_the_place_of_what_is_no_file(folders: tuple[Path, Path]) -> None:
    pipe, link, loop = folders[0] / "pipe", folders[0] / "link", folders[0] / "loop"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    loop.symlink_to(loop)
    for path in (Path("/dev/null"), pipe, link):
        with pytest.raises(BackupError, match="is a device or a pipe"):
            making._check(Wanted(path))
    with pytest.raises(BackupError, match="cannot be written: File name too long"):
        making._check(Wanted(folders[0] / ("a" * 300) / "b.tar"))
    write(loop, b"whole")
    assert loop.read_bytes() == b"whole"


def test_drafts_of_others_do_not_matter_and_what_was_left_is_removed(folders: tuple[Path, Path]) -> None:
    target = folders[0] / "a.tar"
    left, gone, odd = (folders[0] / f".a.tar.{each * 16}" for each in "012")
    left.write_bytes(b"half")
    gone.symlink_to(folders[0] / "nowhere")  # as one that is renamed while it is looked at
    odd.mkdir()  # as one that may not be opened
    with making._new_file(target) as file:
        write(target, b"first")
        file.write(b"second")
    assert target.read_bytes() == b"second"
    assert not left.exists()
    gone.unlink()
    odd.rmdir()


def test_a_draft_that_was_taken_for_abandoned_is_made_again(folders: tuple[Path, Path]) -> None:
    target, removed = folders[0] / "a.tar", list[Path]()

    def late(descriptor: int, how: int) -> None:
        if not removed:
            making._remove_abandoned(target)
            removed.append(target)
        making.fcntl.flock(descriptor, how)

    draft, descriptor = making._locked_draft(target, late)
    os.close(descriptor)
    assert (list(folders[0].glob(".a.tar.*")), removed) == ([draft], [target])
    draft.unlink()


@pytest.mark.parametrize("kind", [b"0", b"x", b"S"])
def test_keys_of_a_size_that_no_file_has_are_refused(kind: bytes) -> None:
    packed = bytearray(keys.pack({"hook.key": b"k" * 64}))
    packed[124:136], packed[156:157], packed[148:156] = b"\x80" + b"\x7f" * 11, kind, b" " * 8
    packed[148:156] = b"%06o\0 " % sum(packed[:512])
    with pytest.raises(keys.KeysError):
        keys.unpack(bytes(packed))


def test_compressed_keys_are_refused_whole_or_cut() -> None:
    """What is compressed may be as large as it likes once it is not."""
    packed = gzip.compress(keys.pack({"hook.key": b"k" * 64}))
    for content in (packed, packed[:-20], keys.pack({"hook.key": b"k" * 64})[:600]):
        with pytest.raises(keys.KeysError, match="cannot be read"):
            keys.unpack(content)


def test_who_made_it_is_told_as_a_terminal_can_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "a\x1b[2Jd\udcffa é")
    assert making.whoever().startswith("a[2Jda é@")


def test_a_name_of_any_bytes_is_one_that_a_database_takes() -> None:
    assert making._shown(Path(os.fsdecode(b"/b/\xff\xc3\xa9.tar"))) == "/b/\ufffdé.tar"
