"""A notification of any shape is read, and never raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.events.envelope import RAW_MAX, parse_envelope, redacted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "id": "0198-a",
    "timestamp": "2025-12-31T23:59:59.123456789Z",
    "action": "push",
    "target": {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "a" * 64,
        "repository": "team/app",
        "tag": "1.0",
    },
    "request": {"addr": "10.0.0.5:1234", "useragent": "docker/27"},
    "actor": {"name": "wsbq5k5ysqyt"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def test_says_what_was_told() -> None:
    [told] = parse_envelope(json.dumps({"events": [EVENT]}).encode(), now=NOW)
    assert (told.event_id, told.action, told.repository, told.tag) == ("0198-a", "push", "team/app", "1.0")
    assert (told.actor, told.address, told.client) == ("wsbq5k5ysqyt", "10.0.0.5", "docker/27")
    assert told.at
    assert (NOW - told.at).total_seconds() < 1
    assert json.loads(told.raw) == EVENT


def test_no_event_is_of_the_future() -> None:
    [told] = parse_envelope(
        json.dumps({"events": [EVENT | {"timestamp": "2030-01-01T00:00:00Z"}]}).encode(), now=NOW
    )
    assert told.at == NOW


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"events": 1}', b"[" * 100_000, b"null"])
def test_nonsense_is_one_event_that_says_nothing(body: bytes) -> None:
    [told] = parse_envelope(body, now=NOW)
    assert (told.action, told.repository) == ("", "")
    assert told.event_id == parse_envelope(body, now=NOW)[0].event_id


def test_an_event_without_an_id_has_one_made_of_what_it_says() -> None:
    events = [{**EVENT, "id": each} for each in ("", 1, None, "x" * 101)]
    told = parse_envelope(json.dumps({"events": [*events, *events]}).encode(), now=NOW)
    assert len({each.event_id for each in told}) == len(events)


@pytest.mark.parametrize(
    "given", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z"]
)
def test_no_time_at_all_is_none(given: str) -> None:
    """The year 1 is how Go writes it, and none in a zone west of Greenwich."""
    assert (
        parse_envelope(json.dumps({"events": [{"id": "1", "timestamp": given}]}).encode(), now=NOW)[0].at
        is None
    )


@given(st.lists(JSON))
def test_any_json_is_taken(events: list[Any]) -> None:
    for told in parse_envelope(json.dumps({"events": events}).encode(), now=NOW):
        assert 0 < len(told.event_id) <= 100
        assert len(told.raw) <= RAW_MAX


@given(st.binary())
def test_any_bytes_are_taken(body: bytes) -> None:
    assert all("\x00" not in told.raw for told in parse_envelope(body, now=NOW))


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("10.0.0.5:1234", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("[fe80::1%eth0]", "fe80::1%eth0"),
        ("2001:db8::1", "2001:db8::1"),
        ("runner.test:80", "runner.test"),
        ("@", "@"),
        ("", ""),
        (None, ""),
    ],
)
def test_where_from_without_the_port(told: object, address: str) -> None:
    body = json.dumps({"events": [{"id": "1", "request": {"addr": told}}]}).encode()
    assert parse_envelope(body, now=NOW)[0].address == address


def test_what_is_shown_of_an_event_names_no_machine() -> None:
    raw = '{"useragent": "docker/27.5.1 go/go1.22 kernel/6.1 os/linux", "id": "x"}'
    seen = redacted(raw)
    assert "docker/27.5.1" in seen
    assert "kernel" not in seen
    assert '"id": "x"' in seen
