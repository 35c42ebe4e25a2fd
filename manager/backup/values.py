"""A row as a line of text, the same from either database, and back without a loss. PURE.

A line is a JSON array in ASCII, with a value for each column. None is null, so that "" stays "". Moments are in UTC, to
the microsecond. Bytes are Base64. A UUID is as RFC 9562 writes it. JSON stands in an array of its own, so that its null
is not the database's.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

MOMENT_LENGTH: Final = len("2026-11-29T12:00:00.000001Z")
INT_BITS: Final = 64  # of a column, with its sign

Value = str | int | bool | datetime | date | bytes | UUID | list[Any] | None


def _check(kind: type) -> Callable[[Any], Any]:
    def same(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{type(value).__name__} is not {kind.__name__}")
        return value

    return same


def _write_moment(value: datetime) -> str:
    # Not strftime, which writes the year 1 as "1".
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _read_moment(value: str) -> datetime:
    if len(value) != MOMENT_LENGTH or value[-1] != "Z":
        raise ValueError("a moment is not in UTC, to the microsecond")
    return datetime.fromisoformat(value)


def _read_int(value: Any) -> int:
    number: int = _check(int)(value)
    if not -(2 ** (INT_BITS - 1)) <= number < 2 ** (INT_BITS - 1):
        raise ValueError("a number is too large for a column")
    return number


def _write_json(value: str) -> list[Any]:
    return [json.loads(value)]


def _read_json(value: Any) -> list[Any]:
    if len(_check(list)(value)) != 1:
        raise ValueError("JSON is not in an array of its own")
    return list(value)


def _read_bytes(value: Any) -> bytes:
    return base64.b64decode(_check(str)(value), validate=True)


def _read_uuid(value: Any) -> UUID:
    uuid = UUID(_check(str)(value))
    if str(uuid) != value:
        raise ValueError("a UUID is not as it is written")
    return uuid


# kind → what a line holds of a column's value
_WRITE: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _check(str),
    "int": _check(int),
    "bool": _check(bool),
    "moment": _write_moment,
    "day": date.isoformat,
    "json": _write_json,
    "bytes": lambda value: base64.b64encode(value).decode(),
    "uuid": str,
}
_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _check(str),
    "int": _read_int,
    "bool": _check(bool),
    "moment": lambda value: _read_moment(_check(str)(value)),
    "day": lambda value: date.fromisoformat(_check(str)(value)),
    "json": _read_json,
    "bytes": _read_bytes,
    "uuid": _read_uuid,
}
KINDS: Final = frozenset(_WRITE)

_encoder: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class Lines:
    """Writes and reads the lines of one table, whose columns are of `kinds`."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._write = [_WRITE[kind] for kind in kinds]
        self._read = [_READ[kind] for kind in kinds]

    def write(self, row: Sequence[Any]) -> bytes:
        """Return a line with its end. JSON comes as its text."""
        values = [
            None if value is None else write(value) for write, value in zip(self._write, row, strict=True)
        ]
        return _encoder.encode(values).encode("ascii") + b"\n"

    def read(self, line: bytes) -> list[Value]:
        """Return the values; JSON comes as a list of one. Raise ValueError for what `write` did not write."""
        try:
            values = json.loads(line)
        except RecursionError as error:
            raise ValueError("JSON is too deep") from error
        if len(_check(list)(values)) != len(self._read):
            raise ValueError(f"{len(values)} values for {len(self._read)} columns")
        return [
            None if value is None else read(value) for read, value in zip(self._read, values, strict=True)
        ]
