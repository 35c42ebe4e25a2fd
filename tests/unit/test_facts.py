"""The smallest pieces of a page: accounts/templatetags/cells.py."""

from datetime import UTC, datetime

from django.utils import translation

from accounts.templatetags import cells

MOMENT = datetime(2026, 2, 21, 23, 59, 58, tzinfo=UTC)
EVIL = '"><script>'


def test_a_moment_is_relative_and_exact_in_its_title() -> None:
    written = cells.when(MOMENT)
    assert 'datetime="2026-02-21T23:59:58+00:00"' in written
    assert 'title="21 Feb 2026, 23:59:58 UTC"' in written


def test_what_never_was_has_a_word() -> None:
    assert ">never<" in cells.when(None)
    assert ">not said<" in cells.when(None, "not said")


def test_a_day_is_written_in_the_language_of_the_reader() -> None:
    moment = MOMENT.replace(month=5)
    assert "21 May 2026" in cells.when(moment)
    with translation.override("de"):
        assert "21. Mai 2026" in cells.when(moment)


def test_a_size_is_exact_in_its_title() -> None:
    assert cells.exact_size(312_400_000) == '<span class="text-nowrap" title="312400000 bytes">312 MB</span>'
    assert "—" in cells.exact_size(None)


def test_a_size_is_written_in_the_language_of_the_reader() -> None:
    with translation.override("de"):
        assert ">4,1 GB<" in cells.exact_size(4_100_000_000)


def test_a_digest_is_short_whole_in_its_copy_and_a_link_where_there_is_a_page() -> None:
    whole = "sha256:" + "0123456789abcdef" * 4
    assert ">0123456789ab</span>" in cells.digest(whole)
    assert f'data-copy="{whole}"' in cells.digest(whole)
    assert f'<a class="font-monospace" href="/there/" title="{whole}">0123456789ab</a>' in cells.digest(
        whole, "/there/"
    )
    assert "—" in cells.digest("")


def test_nothing_that_is_pushed_leaves_its_place() -> None:
    for written in (cells.copy(EVIL, EVIL), cells.digest(EVIL, EVIL), cells.when(None, EVIL)):
        assert "<script>" not in written
