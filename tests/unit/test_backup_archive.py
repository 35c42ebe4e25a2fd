"""An archive that was changed or cut off anywhere is refused, or still says the same."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from manager.backup.archive import About, ArchiveError, Reader, Writer, _digest

COLUMNS = {"people": [["id", "int"], ["name", "text"]], "none": [["id", "int"]]}
ABOUT = About(
    version="1", made_at="2026-11-30T00:00:00+00:00", made_by="ada", database="sqlite", migrations=[["a", "0001"]],
    tables=COLUMNS, left_out=["sessions"], keys={"pepper-1.key": "f"}, settings={},
)  # fmt: skip


class Full(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _content: Any, /) -> int:
        raise OSError(28, "No space left on device")


def archive() -> bytes:
    file = io.BytesIO()
    with Writer(file, ABOUT) as writer:
        writer.add_keys(b"sealed")
        writer.add_table("people", [(number, "ada" * number) for number in range(9)]).last_key = 12
        writer.add_table("none", [])
        assert writer.close()[0] == 9
    return file.getvalue()


def read(content: bytes) -> tuple[Any, ...]:
    reader = Reader(io.BytesIO(content))
    rows = [(name, list(rows)) for name, rows in reader.tables()]
    return reader.about, reader.sealed_keys, rows, reader.totals


def refused_or_same(content: bytes, whole: tuple[Any, ...]) -> bool:
    try:
        return read(content) == whole
    except ArchiveError:
        return True


def test_it_is_read_as_it_was_written() -> None:
    about, keys, rows, totals = read(archive())
    assert (about, keys) == (ABOUT, b"sealed")
    assert rows[0][1][2] == [2, "adaada"]
    assert (rows[1], totals["people"].rows, totals["people"].last_key) == (("none", []), 9, 12)


def test_one_flipped_bit_is_seen_wherever_it_is() -> None:
    content = archive()
    whole = read(content)
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        assert refused_or_same(bytes(changed), whole), at


def test_a_cut_is_seen_wherever_it_is() -> None:
    content = archive()
    whole = read(content)
    for length in range(0, len(content), 7):
        assert refused_or_same(content[:length], whole), length
    with pytest.raises(ArchiveError):
        read(content[: content.index(b"totals.json")])


def with_header(content: bytes, name: str, kind: bytes, size: bytes) -> bytes:
    """Return it with another type and size in the header of that member, whose checksum is right."""
    at = content.index(name.encode().ljust(100, b"\0"))
    header = bytearray(content[at : at + 512])
    header[124:136], header[156:157], header[148:156] = size, kind, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return content[:at] + bytes(header) + content[at + 512 :]


@pytest.mark.parametrize("kind", [b"S", b"x", b"g", b"L", b"K", b"1", b"5", b"7", b"V"])
@pytest.mark.parametrize("size", [b"\x80" + b"\xff" * 11, b"\xff" * 12, b"0" * 11 + b"\0"])
def test_a_member_of_another_kind_is_refused_at_once_whatever_its_size(kind: bytes, size: bytes) -> None:
    """What it says of its size is not believed, and nothing is skipped."""
    for name in ("keys.age", "tables/people/000001.jsonl", "totals.json"):
        with pytest.raises(ArchiveError):
            read(with_header(archive(), name, kind, size))


WRONG: tuple[dict[str, Any], ...] = (
    {"version": 1}, {"version": "1" * 41}, {"made_at": 5}, {"made_by": "\x1b[2J"},
    {"migrations": "abc"}, {"migrations": 5}, {"migrations": [["a"]]}, {"migrations": [[["a"], {}]]},
    {"left_out": 5}, {"keys": []}, {"keys": {"pepper-1.key": 5}},
    {"settings": []}, {"settings": {"PUBLIC_URL": None}},
    {"tables": []}, {"tables": {"people": 5}}, {"tables": {"people": [["id"]]}},
    {"tables": {"people": [["id", []]]}}, {"tables": {"people": [["id", "float"]]}},
)  # fmt: skip


@pytest.mark.parametrize("fields", WRONG)
def test_what_it_says_of_itself_has_the_types_that_a_restore_relies_on(fields: dict[str, Any]) -> None:
    file = io.BytesIO()
    Writer(file, replace(ABOUT, **fields)).close()
    with pytest.raises(ArchiveError):
        read(file.getvalue())


def told_otherwise(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Return an archive whose totals are changed, and their checksum is right."""

    class Liar(Writer):
        def _add(self, name: str, content: bytes) -> None:
            if name == "totals.json":
                said = json.loads(content)
                del said["sha256"]
                change(said)
                content = json.dumps(said | {"sha256": _digest(said)}).encode()
            super()._add(name, content)

    file = io.BytesIO()
    with Liar(file, ABOUT) as writer:
        for name in COLUMNS:
            writer.add_table(name, [])
        writer.close()
    return file.getvalue()


@pytest.mark.parametrize("key", ["x", -5, 2**63, 1.5, True])
def test_a_last_key_is_one_that_a_column_holds(key: Any) -> None:
    assert read(told_otherwise(lambda said: said["tables"]["people"].update(last_key=2**63 - 1)))
    with pytest.raises(ArchiveError, match="people is not as it was written"):
        read(told_otherwise(lambda said: said["tables"]["people"].update(last_key=key)))


@pytest.mark.parametrize("tables", [[], None, {"people": 5}, {}])
def test_totals_of_another_shape_are_refused(tables: Any) -> None:
    with pytest.raises(ArchiveError, match="people is not as it was written"):
        read(told_otherwise(lambda said: said.update(tables=tables)))


def test_a_full_disk_is_an_error_and_nothing_is_written_after_it() -> None:
    file = Full()
    with pytest.raises(OSError, match="No space left"), Writer(file, ABOUT) as writer:  # type: ignore[arg-type]
        writer.add_table("people", [(1, "a" * 100_000)])


def test_a_row_that_could_not_be_read_again_is_not_written() -> None:
    with Writer(io.BytesIO(), ABOUT, largest=1000) as writer:
        writer.add_table("people", [(1, "a" * 900)])
        with pytest.raises(ArchiveError, match="A row of none is too large"):
            writer.add_table("none", [(10**1000,)])


def test_a_number_that_no_column_holds_is_refused_when_it_is_read() -> None:
    file = io.BytesIO()
    with Writer(file, ABOUT) as writer:
        writer.add_table("people", [(2**63, "")])
        writer.add_table("none", [])
        writer.close()
    with pytest.raises(ArchiveError, match="Row 1 of people cannot be read"):
        read(file.getvalue())
