"""accounts/common/timestamps.py: bounds that hold in every zone, and days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.common.timestamps import FIRST, LAST, end_of, last_day, sound, start_of

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS | st.sampled_from([FIRST, LAST]), ZONES)
def test_a_sound_moment_is_one_in_every_zone(moment: datetime, zone: ZoneInfo) -> None:
    if sound(moment):
        assert moment.astimezone(zone) == moment


@given(st.dates(), ZONES)
def test_any_day_begins_and_ends(day: date, zone: ZoneInfo) -> None:
    start, end = start_of(day, zone), end_of(day, zone)
    assert start <= end
    if not date(1970, 1, 2) <= day <= date(9999, 1, 1):
        assert not (sound(start) and sound(end))


@given(st.dates(date(1970, 1, 5), date(9998, 12, 31)), ZONES)
def test_a_day_is_known_by_its_end(day: date, zone: ZoneInfo) -> None:
    end = end_of(day, zone)
    assert sound(end)
    assert end == start_of(day + timedelta(days=1), zone)
    assert last_day(end + timedelta(seconds=1), zone) is None
    left_out = end.astimezone(zone).date() != day + timedelta(days=1)  # a zone that skipped a whole day
    assert left_out or last_day(end, zone) == day


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("UTC", datetime(2027, 5, 6, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 5, 5, 22, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2027, 5, 5, 10, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 5, 6, 4, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_there(zone: str, end: datetime) -> None:
    assert end_of(date(2027, 5, 5), ZoneInfo(zone)) == end


def test_a_moment_that_is_none_in_some_zone_ends_no_day() -> None:
    assert last_day(datetime.max.replace(tzinfo=UTC), UTC) is None
    assert last_day(datetime(2026, 2, 21, 12, tzinfo=UTC), UTC) is None
    assert last_day(datetime(2026, 2, 21, tzinfo=UTC), UTC) == date(2026, 2, 20)
