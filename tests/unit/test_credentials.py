"""Generated passwords: a typo never passes for one, and only a keyed digest is ever stored."""

import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts import credentials
from accounts.credentials import ALPHABET, API_PREFIX, LINK_PREFIX, USER_PREFIX, Pepper

PREFIXES = st.sampled_from([USER_PREFIX, API_PREFIX, LINK_PREFIX])
BODIES = st.text(ALPHABET, min_size=credentials.BODY_LENGTH, max_size=credentials.BODY_LENGTH)
PEPPERS = st.builds(Pepper, st.integers(1, 99), st.binary(min_size=32, max_size=64))


@st.composite
def passwords(draw: st.DrawFn) -> str:
    """As `make` does, with hypothesis instead of the system's dice."""
    body = draw(BODIES)
    return f"{USER_PREFIX}_{body}{credentials._check(USER_PREFIX, body)}"


@given(PREFIXES)
def test_what_is_made_is_well_formed_for_its_purpose_alone(prefix: str) -> None:
    made = credentials.make(prefix)
    assert re.fullmatch(r"rm[a-z]_\w{38}", made, re.ASCII)
    for other in (USER_PREFIX, API_PREFIX, LINK_PREFIX):
        assert credentials.well_formed(made, other) is (other == prefix)


@given(passwords(), st.data())
def test_any_single_wrong_letter_is_noticed(password: str, data: st.DataObject) -> None:
    assert credentials.well_formed(password, USER_PREFIX)
    at = data.draw(st.integers(0, len(password) - 1))
    letter = data.draw(st.one_of(st.sampled_from(ALPHABET), st.characters()))
    assume(letter != password[at])
    assert not credentials.well_formed(password[:at] + letter + password[at + 1 :], USER_PREFIX)


@given(passwords(), st.data())
def test_two_neighbours_that_changed_places_are_noticed(password: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(password) - 2))
    assume(password[at] != password[at + 1])
    swapped = password[:at] + password[at + 1] + password[at] + password[at + 2 :]
    assert not credentials.well_formed(swapped, USER_PREFIX)


@given(passwords(), st.data())
def test_a_letter_lost_or_typed_twice_is_noticed(password: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(password) - 1))
    assert not credentials.well_formed(password[:at] + password[at + 1 :], USER_PREFIX)
    assert not credentials.well_formed(password[:at] + password[at] + password[at:], USER_PREFIX)


@given(passwords(), st.sampled_from(["\n", " ", "\r\n", "\x00", "\u200b", "\ufeff", "%00"]))
def test_what_clings_to_a_pasted_password_is_noticed(password: str, extra: str) -> None:
    assert not credentials.well_formed(password + extra, USER_PREFIX)
    assert not credentials.well_formed(extra + password, USER_PREFIX)


@given(passwords())
def test_another_alphabet_is_no_password(password: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter in string.digits else letter for letter in password)
    assume(wide != password)
    assert not credentials.well_formed(wide, USER_PREFIX)


@given(st.text())
def test_no_text_whatsoever_raises(text: str) -> None:
    assert not credentials.well_formed(text, USER_PREFIX)
    assert credentials.digest(text, Pepper(1, b"k" * 32))


@given(passwords(), passwords(), PEPPERS)
def test_a_digest_says_nothing_of_its_password(one: str, other: str, pepper: Pepper) -> None:
    stored = credentials.digest(one, pepper)
    assert re.fullmatch(r"[0-9a-f]{64}", stored)
    assert (stored == credentials.digest(other, pepper)) is (one == other)


@given(passwords(), PEPPERS, PEPPERS)
def test_without_the_pepper_a_digest_cannot_be_made_again(password: str, one: Pepper, other: Pepper) -> None:
    # HMAC itself takes a key and the same key with zeros behind it for one.
    assume(one.key.rstrip(b"\0") != other.key.rstrip(b"\0"))
    assert credentials.digest(password, one) != credentials.digest(password, other)


@given(passwords())
def test_the_hint_leaves_the_password_unknown(password: str) -> None:
    hidden = len(password) - len(USER_PREFIX + "_") - len(credentials.hint(password))
    assert len(credentials.hint(password)) == credentials.HINT_LENGTH
    # The checksum can be computed, so what is shown of it narrows nothing more than itself.
    assert hidden >= credentials.BODY_LENGTH


def test_ten_thousand_are_all_different() -> None:
    assert len({credentials.make(USER_PREFIX) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("write", [repr, str, "{}".format, "{!r}".format])
def test_a_pepper_in_a_log_line_keeps_its_key(write: object) -> None:
    assert callable(write)
    assert "secretkey" not in write(Pepper(1, b"secretkey" * 4))


@given(passwords(), st.lists(PEPPERS, max_size=3))
def test_digests_are_one_for_each_pepper_in_their_order(password: str, peppers: list[Pepper]) -> None:
    assert credentials.digests(password, peppers) == [credentials.digest(password, each) for each in peppers]
