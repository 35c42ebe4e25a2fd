"""The smallest pieces of a page: accounts/templatetags/facts.py."""

from datetime import UTC, datetime

from django.utils import translation

from accounts.templatetags import facts

MOMENT = datetime(2026, 2, 21, 23, 59, 58, tzinfo=UTC)
EVIL = '"><script>'


def test_a_moment_is_relative_and_exact_in_its_title() -> None:
    written = facts.when(MOMENT)
    assert 'datetime="2026-02-21T23:59:58+00:00"' in written
    assert 'title="21 Feb 2026, 23:59:58 UTC"' in written


def test_what_never_was_has_a_word() -> None:
    assert ">never<" in facts.when(None)
    assert ">not said<" in facts.when(None, "not said")


def test_a_day_is_written_in_the_language_of_the_reader() -> None:
    moment = MOMENT.replace(month=5)
    assert "21 May 2026" in facts.when(moment)
    with translation.override("de"):
        assert "21. Mai 2026" in facts.when(moment)


def test_a_size_is_exact_in_its_title() -> None:
    assert facts.exact_size(312_400_000) == '<span class="nowrap" title="312400000 bytes">312 MB</span>'
    assert "—" in facts.exact_size(None)


def test_a_size_is_written_in_the_language_of_the_reader() -> None:
    with translation.override("de"):
        assert ">4,1 GB<" in facts.exact_size(4_100_000_000)


def test_a_digest_is_short_whole_in_its_copy_and_a_link_where_there_is_a_page() -> None:
    whole = "sha256:" + "0123456789abcdef" * 4
    assert ">0123456789ab</span>" in facts.digest(whole)
    assert f'data-copy="{whole}"' in facts.digest(whole)
    assert f'<a class="mono" href="/there/" title="{whole}">0123456789ab</a>' in facts.digest(
        whole, "/there/"
    )
    assert "—" in facts.digest("")


def test_nothing_that_is_pushed_leaves_its_place() -> None:
    for written in (facts.copy(EVIL, EVIL), facts.digest(EVIL, EVIL), facts.when(None, EVIL)):
        assert "<script>" not in written
