"""Zones by the names that browsers give them, and moments written out in one, with UTC behind."""

from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils.formats import date_format
from django.utils.translation import get_language

from accounts.common import timestamps


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def named(name: str) -> ZoneInfo | None:
    """None for what is no zone: a name from outside opens no file."""
    return ZoneInfo(name) if name in _names() else None


def exact(moment: datetime, zone: tzinfo) -> str:
    """To the second there, and in UTC: "28 Nov 2026, 21:30:05 CET · 20:30:05 UTC"."""
    return exact_in(moment, zone, get_language())


def exact_in(moment: datetime, zone: tzinfo, language: str | None) -> str:
    if not timestamps.sound(moment):  # may be none there
        return _written(moment, language)
    here, behind = moment.astimezone(zone), moment.astimezone(UTC)
    if here.utcoffset() == behind.utcoffset():
        return _written(behind, language)
    same_day = here.date() == behind.date()
    return (
        f"{_written(here, language)} · {f'{behind:%H:%M:%S} UTC' if same_day else _written(behind, language)}"
    )


def _written(moment: datetime, language: str | None) -> str:
    name = moment.tzname() or ""
    # Where a zone has no letters of its own it is called by what it is ahead.
    name = f"UTC{name}" if name[:1] in "+-" else name
    return f"{day(moment.date(), language)}, {moment:%H:%M:%S} {name}"


@lru_cache(maxsize=366)
def day(day: date, _language: str | None) -> str:
    """As the reader's language writes it; a list has hundreds."""
    return date_format(day, "DATE_FORMAT")
