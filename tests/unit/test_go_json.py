"""JSON as Go reads it; tests/parts/test_go_manifests.py asks Go itself."""

from typing import Any

import pytest

from registry_sync.inventory.go_json import (
    DEPTH_MAX,
    Basic,
    GoDecodeError,
    Pointer,
    Slice,
    Struct,
    decode,
    decode_any,
)

INNER = Struct({"name": Basic.TEXT})
SHAPE = Struct(
    {
        "text": Basic.TEXT, "size": Basic.WHOLE, "notes": Basic.TEXTS, "data": Basic.OCTETS,
        "list": Slice(INNER), "inner": INNER, "maybe": Pointer(INNER),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"text": "a", "TEXT": "b"}', {"text": "b"}),  # keys fold, the last one counts
        (b'{"text": "a", "text": null}', {"text": "a"}),  # null leaves text as it was
        (b'{"size": 7, "size": null}', {"size": 7}),
        (b'{"notes": {"a": "1"}, "notes": {"b": "2"}}', {"notes": {"a": "1", "b": "2"}}),
        (b'{"notes": {"a": "1"}, "notes": null}', {"notes": None}),
        (b'{"notes": {"a": null}}', {"notes": {"a": ""}}),
        (b'{"inner": null}', {"inner": {}}),
        (b'{"inner": {"name": "x"}, "inner": null}', {"inner": {"name": "x"}}),
        (b'{"maybe": {"name": "x"}}', {"maybe": {"name": "x"}}),
        (b'{"maybe": {"name": "x"}, "maybe": null}', {"maybe": None}),
        (b'{"list": [{"name": "a"}, {"name": "b"}], "list": [{}]}', {"list": [{"name": "a"}]}),
        (b'{"list": [{"name": "a"}, {"name": "b"}], "list": []}', {"list": []}),
        (b'{"data": "aGk="}', {"data": None}),
        (b'{"data": [1, 255, null]}', {"data": None}),
        (b'{"text": "\\ud800"}', {"text": "\ufffd"}),
        (b'{"text": "\xff\xfe"}', {"text": "\ufffd\ufffd"}),
        (b'{"other": [1, {"deep": true}]}', {}),
        (b'{"other": ' + b"[" * 100 + b"]" * 100 + b', "size": 1}', {"size": 1}),
    ],
)
def test_what_is_taken(body: bytes, found: dict[str, Any]) -> None:
    assert decode(body, SHAPE) == found


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"text": 1}', b'{"size": "1"}', b'{"size": 1.0}', b'{"size": 9223372036854775808}',
        b'{"size": ' + b"9" * 5000 + b"}", b'{"notes": []}', b'{"notes": {"a": 1}}', b'{"data": "a"}',
        b'{"data": [256]}', b'{"data": {"a": 1}}', b'{"list": {}}', b'{"inner": []}', b'{"size": NaN}',
        b'{"text": "no end', b'{"x": ' + b"[" * 100, b"[" * (DEPTH_MAX + 1),
    ],
    ids=range(18),
)  # fmt: skip
def test_what_is_not_taken(body: bytes) -> None:
    with pytest.raises(GoDecodeError):
        decode(body, SHAPE)


def test_without_a_shape_objects_are_dicts() -> None:
    found = decode_any(b'{"a": [1, "x", null, true]}')
    assert found["a"][1:] == ["x", None, True]
    assert found["a"][0].text == "1"
