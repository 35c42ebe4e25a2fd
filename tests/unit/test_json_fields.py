"""Values of any type are read as what is asked for, or as nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.common.json_fields import read_mapping, read_mappings, read_moment, read_text

OTHERS: list[Any] = [None, True, 1, 1.5, [1], "x"]


@pytest.mark.parametrize("value", OTHERS)
def test_what_is_no_object_is_an_empty_one(value: Any) -> None:
    assert read_mapping(value) == {}
    assert read_mappings(value) == []


def test_objects_are_read() -> None:
    assert read_mapping({"a": 1}) == {"a": 1}
    assert read_mappings([{"a": 1}, 2, None, {}]) == [{"a": 1}, {}]


@pytest.mark.parametrize(
    ("value", "text"),
    [("abcdef", "abc"), ("a\x00b", "ab"), ("\ud800", "?"), (None, ""), (1, ""), (["a"], "")],
)
def test_text_is_what_a_database_takes(value: Any, text: str) -> None:
    assert read_text(value, 3) == text


@pytest.mark.parametrize(
    "value", ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05"]
)
def test_a_moment_is_in_utc(value: str) -> None:
    assert read_moment(value) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, 1, "", "yesterday", "0001-01-01T00:00:00+14:00", ["2026-01-02"]])
def test_what_is_no_moment_is_none(value: Any) -> None:
    assert read_moment(value) is None
