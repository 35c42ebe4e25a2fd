"""The file: a tar that is written and read in one go, whatever its size.

backup.json comes first and says of what the backup is; totals.json comes last, so that what was cut off shows. Between
them are the tables in parts of about a megabyte, a row a line (values.py), and keys.age where the keys are in it.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any, Final, Self

from manager.backup.values import INT_BITS, KINDS, Lines

FORMAT: Final = 1
PRODUCT: Final = "Registry Manager"
PART_BYTES: Final = 1024 * 1024
PART_BYTES_MAX: Final = 256 * 1024 * 1024  # a single row may be large
PAPER_BYTES_MAX: Final = 16 * 1024 * 1024  # of what is not a table
VERSION_MAX: Final = 40  # characters
FIRST, LAST, KEYS = "backup.json", "totals.json", "keys.age"

Columns = list[list[str]]


class ArchiveError(Exception):
    """It is no backup, or not as it was written; the message says where."""


@dataclass(frozen=True, kw_only=True)
class About:
    """Of what an archive is a backup.

    `migrations`: [[app, name], …] that its tables are at. `tables`: {table: [[column, kind], …]}, as they follow.
    `keys`: {file: fingerprint} of the keys that its rows need. `settings`: {name: value} of then, no secrets.
    """

    version: str
    made_at: str
    made_by: str
    database: str
    migrations: list[list[str]]
    tables: dict[str, Columns]
    left_out: list[str]
    keys: dict[str, str]
    settings: dict[str, str]
    format: int = FORMAT
    product: str = PRODUCT


@dataclass
class Total:
    """Of a table. `last_key`: the highest that was ever given, None where the database gives none."""

    rows: int = 0
    sha256: str = ""
    last_key: int | None = None
    _digest: Any = field(default_factory=hashlib.sha256, repr=False, compare=False)

    def add(self, lines: bytes, rows: int) -> None:
        self._digest.update(lines)
        self.rows, self.sha256 = self.rows + rows, self._digest.hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "sha256": self.sha256, "last_key": self.last_key}


class Writer:
    """Writes an archive in order: about, keys, tables, totals. `with` it: an error leaves it as it is."""

    def __init__(self, file: IO[bytes], about: About, *, largest: int = PART_BYTES_MAX) -> None:
        """`largest`: bytes that a part may have."""
        self._largest = largest
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 (see close)
        self._about = about
        self._totals: dict[str, Total] = {}
        self._keys = b""
        self._first = _paper(asdict(about))
        with self:
            self._add(FIRST, self._first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_more: object) -> None:
        if kind:
            # Its destructor would write what is left, into what is full or closed.
            self._tar.fileobj.closed = True  # type: ignore[attr-defined]

    def add_keys(self, sealed: bytes) -> None:
        self._keys = sealed
        self._add(KEYS, sealed)

    def add_table(self, name: str, rows: Iterable[Iterable[Any]]) -> Total:
        """Write its rows. Memory holds one part. Raise ArchiveError for a row that no archive holds."""
        lines = Lines([kind for _column, kind in self._about.tables[name]])
        total, number = Total(), 0
        part, count, size = [], 0, 0
        for row in rows:
            line = lines.write(tuple(row))
            part.append(line)
            count, size = count + 1, size + len(line)
            if size >= PART_BYTES:
                number += 1
                self._add_part(name, number, b"".join(part), total, count)
                part, count, size = [], 0, 0
        if part:
            self._add_part(name, number + 1, b"".join(part), total, count)
        total.sha256 = total.sha256 or hashlib.sha256().hexdigest()
        self._totals[name] = total
        return total

    def close(self) -> tuple[int, int]:
        """Write the totals; without them it is no archive. Return the number of rows, and of bytes without padding."""
        totals = {name: total.as_json() for name, total in self._totals.items()}
        said = {
            "about_sha256": hashlib.sha256(self._first).hexdigest(),
            "keys_sha256": hashlib.sha256(self._keys).hexdigest(),
            "tables": totals,
        }
        self._add(LAST, _paper(said | {"sha256": _digest(said)}))
        self._tar.close()
        return sum(total.rows for total in self._totals.values()), self._tar.offset

    def _add_part(self, table: str, number: int, content: bytes, total: Total, rows: int) -> None:
        if len(content) > self._largest:  # else nobody could read it
            raise ArchiveError(f"A row of {table} is too large for a backup: {len(content):,} bytes.")
        total.add(content, rows)
        self._add(f"tables/{table}/{number:06}.jsonl", content)

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._tar.addfile(member, io.BytesIO(content))
        self._tar.members.clear()  # type: ignore[attr-defined]  # it would keep what it has written


class Reader:
    """Reads an archive in order: `about` at once, then `tables()`, and after them `totals` holds."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raise ArchiveError when this build cannot read it."""
        try:
            self._tar = tarfile.open(fileobj=file, mode="r|")  # noqa: SIM115 (reads a file that others close)
            begin = self._member()
        except tarfile.TarError as error:
            raise ArchiveError("It is not a backup: it is no tar archive.") from error
        if begin is None or begin[0] != FIRST:
            raise ArchiveError(f"It is not a backup: it does not begin with {FIRST}.")
        first = begin[1]
        self.about = _about(first)
        self._first_digest = hashlib.sha256(first).hexdigest()
        self._next = self._following()
        self.sealed_keys = b""
        if self._next and self._next[0] == KEYS:
            self.sealed_keys = self._next[1]
            self._next = self._following()
        self.totals: dict[str, Total] = {}

    def tables(self) -> Iterator[tuple[str, Iterator[list[Any]]]]:
        """Yield each table with its rows, which are to be read before the next. Raise ArchiveError.

        Only when this has ended are all of them known to be as they were written.
        """
        for name, columns in self.about.tables.items():
            total = Total(sha256=hashlib.sha256().hexdigest())
            yield name, self._rows(name, Lines([kind for _column, kind in columns]), total)
            self.totals[name] = total
        self._check_totals()

    def _rows(self, table: str, lines: Lines, total: Total) -> Iterator[list[Any]]:
        number = 1
        while self._next and self._next[0] == f"tables/{table}/{number:06}.jsonl":
            content = self._next[1]
            if not content.endswith(b"\n"):
                raise ArchiveError(f"Part {number} of {table} is cut off.")
            part = content[:-1].split(b"\n")
            for at, line in enumerate(part, total.rows + 1):
                try:
                    row = lines.read(line)
                except ValueError as error:
                    raise ArchiveError(f"Row {at} of {table} cannot be read: {error}.") from error
                yield row
            total.add(content, len(part))
            number += 1
            self._next = self._following()

    def _check_totals(self) -> None:
        if self._next is None or self._next[0] != LAST:
            raise ArchiveError(
                f"It is cut off, or holds what does not belong: after the tables comes {LAST}."
            )
        said = _json(self._next[1])
        if said.pop("sha256", "") != _digest(said):
            raise ArchiveError(f"{LAST} is not as it was written.")
        if said.get("about_sha256") != self._first_digest:
            raise ArchiveError(f"{FIRST} is not as it was written.")
        if said.get("keys_sha256") != hashlib.sha256(self.sealed_keys).hexdigest():
            raise ArchiveError(f"{KEYS} is not as it was written.")
        tables = said.get("tables")
        for name, total in self.totals.items():
            told = tables.get(name) if isinstance(tables, dict) else None
            total.last_key = told.get("last_key") if isinstance(told, dict) else None
            if told != total.as_json() or not _is_key(total.last_key):
                raise ArchiveError(f"{name} is not as it was written.")
        if self._following() is not None:
            raise ArchiveError(f"Something follows {LAST}.")

    def _following(self) -> tuple[str, bytes] | None:
        try:
            return self._member()
        except tarfile.TarError as error:
            raise ArchiveError("It is cut off or damaged.") from error

    def _member(self) -> tuple[str, bytes] | None:
        member = self._tar.next()
        self._tar.members.clear()  # type: ignore[attr-defined]
        if member is None:
            return None
        largest = PART_BYTES_MAX if member.name.startswith("tables/") else PAPER_BYTES_MAX
        if not is_plain(member) or not 0 <= member.size <= largest:
            raise ArchiveError(f"It holds what does not belong: {member.name[:100]!r}.")
        content = self._tar.extractfile(member)
        assert content, "a file"
        return member.name, content.read()


def _is_key(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < 2 ** (INT_BITS - 1))


def is_plain(member: tarfile.TarInfo) -> bool:
    """Return whether it is a file, with no more said of it: of a sparse one `size` is not what is skipped after it."""
    return member.type == tarfile.REGTYPE and not member.issparse() and not member.pax_headers


def _about(paper: bytes) -> About:
    said = _json(paper)
    if said.get("product") != PRODUCT:
        raise ArchiveError("It is not a backup of this product.")
    if said.get("format") != FORMAT:
        raise ArchiveError(f"Its format {said.get('format')!r} is not one that this build reads ({FORMAT}).")
    try:
        about = About(**said)
    except TypeError as error:
        raise ArchiveError(f"{FIRST} cannot be read.") from error
    if not _is_of_its_types(about):
        raise ArchiveError(f"{FIRST} cannot be read.")
    if not all(kind in KINDS for columns in about.tables.values() for _column, kind in columns):
        raise ArchiveError("It has columns of a kind that this build does not know.")
    return about


def _is_of_its_types(about: About) -> bool:
    """Return whether what follows can rely on them: the checksum of this paper comes last."""
    return (
        _are_texts([about.version, about.made_at, about.made_by, about.database])
        and len(about.version) <= VERSION_MAX
        and _are_pairs(about.migrations)
        and _is_mapping(about.tables, _are_pairs)
        and _are_texts(about.left_out)
        and _is_mapping(about.keys, _is_text)
        and _is_mapping(about.settings, lambda value: isinstance(value, str))
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()  # a terminal shows it


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_are_texts(each) and len(each) == 2 for each in value)  # noqa: PLR2004


def _is_mapping(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(_is_text(name) and fits(each) for name, each in value.items())


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _paper(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def _json(paper: bytes) -> dict[str, Any]:
    try:
        said = json.loads(paper)
    except (ValueError, RecursionError) as error:
        raise ArchiveError("It cannot be read: its JSON is damaged.") from error
    if not isinstance(said, dict):
        raise ArchiveError("It cannot be read: its JSON is damaged.")
    return said
