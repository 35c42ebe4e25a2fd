"""Moments that come from outside, and days. PURE.

A moment near either end of the calendar is none in some zone: it is refused before it is kept.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

FIRST = datetime(1970, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def sound(moment: datetime) -> bool:
    return FIRST <= moment <= LAST


def start_of(day: date, zone: tzinfo) -> datetime:
    """Its first moment there, in UTC; of a day beyond FIRST or LAST, one that is beyond as well."""
    kept = min(max(day, (FIRST - DAY).date()), (LAST + 2 * DAY).date())
    return datetime.combine(kept, time.min, zone).astimezone(UTC)


def end_of(day: date, zone: tzinfo) -> datetime:
    """24:00 of it: the first moment of the next."""
    return start_of(min(day, LAST.date() + DAY) + DAY, zone)


def last_day(moment: datetime, zone: tzinfo) -> date | None:
    """Return the day that ends at `moment`; None where it is in the midst of one."""
    if not sound(moment):
        return None
    day = moment.astimezone(zone).date() - DAY
    return day if end_of(day, zone) == moment else None
