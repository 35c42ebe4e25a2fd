"""What goes into the cache comes out as what it was, and nothing else goes in."""

import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from manager.json_values import JsonSerializer, Unreadable

KEPT = JsonSerializer()
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=5, minutes=30))])
PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.datetimes(timezones=ZONES) | st.dates() | st.timedeltas()
)  # fmt: skip
KEYS = st.text() | st.integers() | st.tuples(st.text(), st.dates())
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def typed(value: Any) -> Any:
    """With the types: 1, True and 1.0 are equal."""
    if isinstance(value, list | tuple):
        return type(value), [typed(each) for each in value]
    if isinstance(value, dict):
        return dict, [(typed(key), typed(each)) for key, each in value.items()]
    return type(value), value


@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    data = KEPT.dumps(value)
    stored = data if isinstance(data, bytes) else str(data).encode()  # Redis keeps a number as its digits
    assert typed(KEPT.loads(stored)) == typed(value)
    json.loads(stored)


@pytest.mark.parametrize("value", [object(), b"bytes", {1}, SafeString("<b>"), [1, {2}], datetime.now])
def test_what_would_come_back_as_something_else_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="nothing that the cache keeps"):
        KEPT.dumps(value)


WRONG = [
    pickle.dumps([1.5]), b"", b"nonsense", b"\xff", b'{"a": 1}', b'{"tuple": [1], "dict": []}', b"{}", b'{"tuple": 1}',
    b'{"dict": [1]}', b'{"dict": [[[], 1]]}', b'{"datetime": "soon"}', b'{"datetime": 5}', b'{"timedelta": ["x"]}',
    b'{"timedelta": [1e99]}', b'{"__import__": "os"}', b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("data", WRONG)
def test_what_is_not_ours_is_said_to_be_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        KEPT.loads(data)


def test_a_number_is_kept_as_redis_counts_it() -> None:
    assert KEPT.dumps(7) == 7
    assert KEPT.dumps(True) == b"true"
    assert [KEPT.loads(data) for data in (b"7", b"true", b"null")] == [7, True, None]
    for value in (
        (1, [2]),
        {"a": timedelta(1)},
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC).date(),
    ):
        assert KEPT.loads(KEPT.dumps(value)) == value
