"""Names of accounts and users: whatever a person types becomes an address that is safe in every path and shell."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.names import (
    EMAIL_MAX,
    HANDLE,
    HANDLE_MAX,
    USERNAME,
    clean_email,
    clean_title,
    handle_from,
    make_username,
)

ANY = st.text(st.characters(), max_size=200)


@given(ANY)
def test_an_address_is_legal_whatever_the_name(title: str) -> None:
    handle = handle_from(title)
    assert HANDLE.fullmatch(handle)
    assert len(handle) <= HANDLE_MAX
    assert handle_from(handle) == handle


@given(ANY)
def test_a_kept_title_holds_nothing_that_cannot_be_seen(title: str) -> None:
    kept = clean_title(title)
    assert not [letter for letter in kept if unicodedata.category(letter)[0] == "C"]
    assert kept == kept.strip()
    assert "  " not in kept
    assert clean_title(kept) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("CI\r\n2026-01-01 admin signed in", "CI 2026-01-01 admin signed in"),
        ("team\u202egnp.exe", "team gnp.exe"),
        ("te\u200bam", "te am"),
        ("\x00\x1b[31mred", "[31mred"),
        ("ＴＥＡＭ", "TEAM"),
        ("\ufeff \u2060", ""),
        ("Équipe Rouge", "Équipe Rouge"),
    ],
)
def test_what_would_forge_a_line_or_turn_the_text_around_is_gone(typed: str, kept: str) -> None:
    assert clean_title(typed) == kept


@pytest.mark.parametrize(
    ("title", "handle"),
    [
        ("Équipe Rouge!", "equipe-rouge"),
        ("../../etc", "etc"),
        ("команда", "account"),
        ("", "account"),
        ("a" * 99, "a" * 40),
    ],
)
def test_addresses(title: str, handle: str) -> None:
    assert handle_from(title) == handle


def test_usernames_are_drawn_and_not_counted() -> None:
    names = {make_username() for _ in range(5_000)}
    assert len(names) == 5_000
    assert all(USERNAME.fullmatch(name) for name in names)


@given(ANY)
def test_an_address_of_mail_is_kept_in_ascii_and_fits_where_it_is_kept(text: str) -> None:
    kept = clean_email(text)
    assert kept.isascii()
    assert len(kept) <= EMAIL_MAX
    assert clean_email(kept) in (kept, "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Somebody@Example.COM ", "somebody@example.com"),
        ("somebody@exämple.com", "somebody@xn--exmple-cua.com"),
        ("somebody@exаmple.com", "somebody@xn--exmple-4nf.com"),  # a Cyrillic а
        ("somebody@ex\u200bample.com", "somebody@example.com"),
        ("somebody@exam\u202eple.com", ""),
        ("adm\u0131n@example.com", ""),
        ("somеbody@example.com", ""),  # a Cyrillic е
        ("mar\u212a@example.com", ""),  # the sign for kelvin, in lower case a k
        ("somebody@example.\u212aom", "somebody@example.kom"),  # as everybody reads it in a domain
        ("somebody@straße.example", ""),  # is not strasse.example
        ("somebody@STRAẞE.example", ""),
        ("somebody@βόλος.example", ""),
        ("somebody@exa\u200dmple.com", ""),
        ("somebody@" + "a" * 64 + ".com", ""),
        ("a" * 250 + "@example.com", ""),
    ],
)
def test_an_address_of_mail_that_looks_like_another_reads_otherwise(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept
