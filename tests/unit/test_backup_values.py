"""A row comes back as it was, whatever is in it, and what is no row is refused."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.backup.values import KINDS, Lines

HERE = timezone(timedelta(hours=5, minutes=45))
MOMENTS = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 (in any zone)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
INTS = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[str, Any] = {
    "text": st.text(),
    "int": INTS,
    "bool": st.booleans(),
    "moment": st.datetimes(MOMENTS[0], MOMENTS[1], timezones=st.sampled_from([UTC, HERE])),
    "day": st.dates(),
    "bytes": st.binary(),
    "uuid": st.uuids(),
}  # fmt: skip


def test_every_kind_is_tried() -> None:
    assert set(VALUES) | {"json"} == KINDS


@given(st.data())
def test_a_row_comes_back(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(VALUES))))
    row = [data.draw(st.none() | VALUES[kind]) for kind in kinds]
    line = Lines(kinds).write(row)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert Lines(kinds).read(line) == row


@given(JSON)
def test_json_comes_back_and_its_null_is_not_the_databases(value: Any) -> None:
    lines = Lines(["json", "json"])
    assert lines.read(lines.write([json.dumps(value), None])) == [[value], None]


def test_the_same_json_is_the_same_line_however_a_database_writes_it() -> None:
    lines = Lines(["json"])
    assert lines.write(['{"b": 1, "a": [2]}']) == lines.write(['{"a":[2],"b":1}']) == b'[[{"a":[2],"b":1}]]\n'


def test_nothing_and_an_empty_text_stay_apart_to_the_microsecond() -> None:
    lines = Lines(["text", "text", "moment"])
    row = [None, "", datetime(2026, 11, 29, 12, 0, 0, 1, tzinfo=UTC)]
    assert lines.write(row) == b'[null,"","2026-11-29T12:00:00.000001Z"]\n'
    assert lines.write(["\x1b[31m\x00", "\u2028é", None]) == b'["\\u001b[31m\\u0000","\\u2028\\u00e9",null]\n'


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("int", b"[1"),
        ("int", b"{}"),
        ("int", b"[1,2]"),
        ("int", b"[true]"),
        ("int", b"[1.0]"),
        ("int", b"[9223372036854775808]"),
        ("bool", b"[1]"),
        ("text", b"[1]"),
        ("moment", b'["2026-11-29"]'),
        ("moment", b"[5]"),
        ("moment", b'["2026-11-29T12:00:00.00000100"]'),
        ("day", b'["yesterday"]'),
        ("json", b"[[1,2]]"),
        ("json", b"[1]"),
        ("bytes", b'["?"]'),
        ("uuid", b'["6ba7b8109dad11d180b400c04fd430c8"]'),
        ("uuid", b'["6ba7b810"]'),
        ("json", b"[" * 100_000),
        ("text", b"\xff"),
    ],
)
def test_what_is_no_row_is_refused(kind: str, line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Lines([kind]).read(line)


def test_a_day_is_a_day() -> None:
    assert Lines(["day"]).read(b'["2026-11-29"]') == [date(2026, 11, 29)]
