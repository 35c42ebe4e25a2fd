"""How facts are written: the filters of accounts/templatetags/formatting.py."""

import json
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import pytest
from django import forms

from accounts.templatetags import formatting

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (None, "—"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_940, "9.9 kB"),
        (9_960, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (312_400_000, "312 MB"),
        (4_100_000_000, "4.1 GB"),
        (2 * 10**18, "2000 PB"),
    ],
)
def test_sizes_are_base_ten_with_three_figures_at_most(octets, written):
    assert formatting.size(octets) == written


@pytest.mark.parametrize(
    ("digest", "written"),
    [
        ("sha256:0123456789abcdef0123", "0123456789ab"),
        ("0123456789abcdef", "0123456789ab"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_digests_are_twelve_digits(digest, written):
    assert formatting.short_digest(digest) == written


def test_a_long_name_breaks_after_its_slashes():
    assert formatting.breaking("team/app") == "team/app"
    assert (
        formatting.breaking("team/tools/migrate/<b>/and/more")
        == "team/<wbr>tools/<wbr>migrate/<wbr>&lt;b&gt;/<wbr>and/<wbr>more"
    )


@pytest.mark.parametrize(
    ("age", "written"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=1, milliseconds=900), "just now"),
        (timedelta(seconds=4), "4 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29, hours=23), "29 days ago"),
        (timedelta(days=30), "30 Jan 2026"),
        (timedelta(seconds=-30), "in 30 s"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(seconds=1) - timedelta(days=7), "in 7 days"),
        (timedelta(hours=1) - timedelta(days=1), "in 23 h"),
        (timedelta(minutes=1) - timedelta(days=1), "in 1 day"),
        (timedelta(seconds=1) - timedelta(hours=1), "in 1 h"),
        (timedelta(days=-90), "30 May 2026"),
    ],
)
def test_times_are_relative_within_thirty_days(age, written):
    assert formatting.relative_to(NOW - age, NOW) == written


def test_a_moment_that_never_was():
    assert formatting.relative(None) == "never"


def test_the_clock_in_the_browser_gets_the_same_words():
    words = json.loads(formatting.relative_words())
    assert words["now"] == "just now"
    assert words["ago"]["min"].replace("%(n)s", "2") == "2 min ago"
    assert words["ahead"]["d"][3] == "in 3 days"


class Level(IntEnum):
    READ = 1


@pytest.mark.parametrize("value", [Level.READ, "read", "READ"])
def test_a_level_is_written_by_its_name_and_not_its_number(value):
    assert formatting.word(value) == "read"
    assert formatting.plain_word(value) == "read"


class Sample(forms.Form):
    first = forms.CharField(help_text="Some help.")
    second = forms.ChoiceField(choices=[("a", "A")], widget=forms.Select(attrs={"class": "font-monospace"}))
    third = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)


def test_a_control_is_described_by_its_help_and_its_errors():
    form = Sample({"second": "nonsense"})
    first = formatting.control(form["first"])
    assert 'class="form-control is-invalid"' in first
    assert 'aria-describedby="id_first_helptext id_first_error"' in first
    assert 'aria-invalid="true"' in first


def test_the_first_wrong_control_takes_the_focus():
    form = Sample({"first": "fine", "second": "nonsense"})
    assert "autofocus" not in formatting.control(form["first"])
    assert "autofocus" in formatting.control(form["second"])
    assert 'class="font-monospace form-select is-invalid"' in formatting.control(form["second"])


def test_errors_of_the_whole_form_take_the_focus_first():
    form = Sample({"first": "", "second": "a", "third": "a"})
    form.add_error(None, "Together they make no sense.")
    assert "autofocus" not in formatting.control(form["first"])


def test_each_radio_button_is_a_check_in_our_look():
    (option,) = Sample()["third"]
    assert 'class="form-check-input"' in formatting.choice(option)
