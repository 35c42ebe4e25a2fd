"""Bounded readers for JSON that others wrote: of any other type a value reads as empty, and none raises. PURE."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def read_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read_mappings(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; what else is in it is skipped."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def read_text(value: Any, most: int) -> str:
    """Return text as a database takes it: no NUL, no lone surrogate, at most `most` characters."""
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:most]


def read_moment(value: Any) -> datetime | None:
    """Return an ISO 8601 moment in UTC, which is also meant where no zone is given."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
