"""A manifest's own bytes, made readable: nothing is lost, nothing hides, nothing is endless."""

import json

from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests.bidi_text import DISPLAY_MAX, display_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(st.binary())
def test_any_bytes_can_be_shown(body: bytes) -> None:
    text = display_text(body).text
    text.encode()
    assert all(each.isprintable() or each in "\n\t" or ord(each) > 127 for each in text)


@given(JSON)
def test_what_is_laid_out_says_the_same(document: object) -> None:
    raw = display_text(json.dumps(document).encode())
    assert raw.formatted
    assert len(raw.text) <= 6 * DISPLAY_MAX


def test_json_is_laid_out() -> None:
    raw = display_text(b'{"a":["\xc3\xa9"]}')
    assert (raw.text, raw.formatted, raw.cut) == ('{\n  "a": [\n    "é"\n  ]\n}', True, False)


def test_floats_that_stay_as_they_are_are_laid_out() -> None:
    assert display_text(b'{"a":0.5}').text == '{\n  "a": 0.5\n}'
    assert not display_text(b'{"a":0.50}').formatted


def test_what_laying_out_would_change_is_shown_as_it_is() -> None:
    for body in (b'{"a":1,"a":2}', b'{"a":1.0000000000000000001}', b'{"a":NaN}', b"not JSON", b""):
        raw = display_text(body)
        assert (raw.text, raw.formatted) == (body.decode(), False)


def test_what_hides_or_turns_the_text_around_is_seen() -> None:
    assert display_text('"\u202e\\u0000\u200b"'.encode()).text == '"\\u202e\\u0000\\u200b"'
    assert display_text(b'{"a": "\\ud800"}').text == '{\n  "a": "\\ud800"\n}'


def test_a_megabyte_of_brackets_is_no_gigabyte_of_spaces() -> None:
    deep = b"[" * 400 + b"1," * 300_000 + b"1" + b"]" * 400
    raw = display_text(deep)
    assert raw.cut
    assert len(raw.text) == DISPLAY_MAX
    assert not display_text(b"[" * 500_000).formatted


def test_a_long_one_is_cut_and_says_so() -> None:
    raw = display_text(json.dumps({"a": "x" * 100_000}).encode())
    assert (len(raw.text), raw.cut) == (DISPLAY_MAX, True)
    assert display_text(b"x" * (DISPLAY_MAX + 1)).cut
    assert not display_text(b"x" * DISPLAY_MAX).cut
    assert display_text("\U0001f600".encode() * (DISPLAY_MAX + 1)).cut
