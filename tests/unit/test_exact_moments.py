"""accounts/common/time_zones.py: what browsers call their zone, and a moment written out there."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import reader_preferences
from accounts.common.time_zones import exact, named
from accounts.templatetags import cells

MOMENT = datetime(2026, 11, 28, 20, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "28 Nov 2026, 20:30:05 UTC"),
        ("Europe/Berlin", "28 Nov 2026, 21:30:05 CET · 20:30:05 UTC"),
        ("Asia/Kolkata", "29 Nov 2026, 02:00:05 IST · 28 Nov 2026, 20:30:05 UTC"),
        ("America/Los_Angeles", "28 Nov 2026, 12:30:05 PST · 20:30:05 UTC"),
        ("Pacific/Kiritimati", "29 Nov 2026, 10:30:05 UTC+14 · 28 Nov 2026, 20:30:05 UTC"),
    ],
)
def test_a_moment_is_exact_there_with_utc_behind(zone: str, written: str) -> None:
    assert exact(MOMENT, ZoneInfo(zone)) == written


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(sorted(available_timezones())).map(ZoneInfo))
def test_any_moment_is_written_in_any_zone(moment: datetime, zone: ZoneInfo) -> None:
    assert f"{moment:%H:%M:%S} UTC" in exact(moment, zone)


def test_what_browsers_send_is_a_zone_and_nothing_else_is() -> None:
    for name in ("Asia/Calcutta", "America/Buenos_Aires", "Europe/Kiev", "UTC"):
        assert str(named(name)) == name
    for name in ("", "../../etc/passwd", "/etc/localtime", "Europe", "europe/berlin", "x" * 9000, "UTC\0"):
        assert named(name) is None


def test_each_reader_has_a_zone_and_the_next_one_has_none_of_it() -> None:
    with reader_preferences.as_asked(zone="Asia/Kolkata", exact=False):
        assert 'title="29 Nov 2026, 02:00:05 IST · 28 Nov 2026, 20:30:05 UTC" data-relative' in cells.when(
            MOMENT
        )
    with reader_preferences.as_asked(zone="no/such", exact=True):
        assert ">28 Nov 2026, 20:30:05 UTC</span></time>" in cells.when(MOMENT)
    assert 'title="28 Nov 2026, 20:30:05 UTC"' in cells.when(MOMENT)
    assert "data-relative" in cells.when(MOMENT)
