"""How the installation stands, for the top of every page: brought along by what each page asks."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from accounts import installation_status
from registry_sync import heartbeats
from registry_sync.alarms import HealthSigns, alarms
from registry_sync.models import Marker

COLLECTING_MAX = timedelta(hours=6)  # what a garbage collection may take
_AT = "(SELECT h.at FROM registry_sync_marker h WHERE h.name = '{}')"
# As heartbeats.is_silent says it, of worker_at: one that never worked is not silent.
_NO_WORKER = f"""CASE WHEN {_AT.format(Marker.WORKER)} NOT BETWEEN %(silent)s AND %(ahead)s
  AND NOT EXISTS (SELECT 1 FROM registry_sync_shard WHERE lease_until BETWEEN %(silent)s AND %(ahead)s)
  AND NOT EXISTS (SELECT 1 FROM registry_sync_lease WHERE until BETWEEN %(silent)s AND %(ahead)s)
  THEN 1 ELSE 0 END"""  # noqa: S608 (names of ours)
# Until a moment that lies ahead. Null when it is over, or was left by a command that was killed.
_COLLECTING = f"""(SELECT 1 FROM registry_sync_marker h WHERE h.name = '{Marker.COLLECTING}'
  AND h.at BETWEEN %(now)s AND %(collecting_max)s)"""  # noqa: S608 (a name of ours)
# SQLite's is a file, which says so itself.
_READ_ONLY = {"postgresql": "CASE current_setting('transaction_read_only') WHEN 'on' THEN 1 ELSE 0 END"}

installation_status.NOTED |= {
    "registry_silent": _AT.format(Marker.REGISTRY_SILENT),
    "registry_refuses": _AT.format(Marker.REGISTRY_REFUSES),
    "tokens_unsigned": _AT.format(Marker.TOKENS_UNSIGNED),
    "no_worker": _NO_WORKER,
    "collecting": _COLLECTING,
    "read_only": _READ_ONLY.get(connection.vendor, "%(read_only)s"),
}
installation_status.SHOWN |= {
    "registry_at": _AT.format(Marker.REGISTRY),
    "worker_at": _AT.format(Marker.WORKER),
    "event_at": _AT.format(Marker.EVENTS),
}


def _values(now: datetime) -> dict[str, Any]:
    moment = connection.ops.adapt_datetimefield_value
    return {
        "now": moment(now),
        "collecting_max": moment(now + COLLECTING_MAX),
        "silent": moment(now - heartbeats.SILENT_AFTER),
        "ahead": moment(now + heartbeats.AHEAD_MAX),
        "read_only": int(is_read_only_file()),
    }


installation_status.VALUES.append(_values)


def is_read_only_file() -> bool:
    """Return whether the database is a file that takes no changes."""
    if connection.vendor != "sqlite":
        return False
    file = Path(connection.settings_dict["NAME"])
    return file.exists() and not os.access(file, os.W_OK)


def is_collecting(until: datetime | None, now: datetime) -> bool:
    """Whether the registry is read-only for its garbage collection, which is over at `until` at the latest."""
    return until is not None and now < until <= now + COLLECTING_MAX


def signs_for(person: object) -> HealthSigns:
    """As the statement that found the person brought it along."""
    found = installation_status.of(person, installation_status.NOTED | installation_status.SHOWN)
    return HealthSigns(
        answered_at=_moment(found["registry_at"]),
        unreachable_since=_moment(found["registry_silent"]),
        refused_since=_moment(found["registry_refuses"]),
        unsigned_since=_moment(found["tokens_unsigned"]),
        worker_at=_moment(found["worker_at"]),
        event_at=_moment(found["event_at"]),
        no_worker=bool(found["no_worker"]),
        read_only=bool(found["read_only"]),
        collecting=bool(found["collecting"]),
    )


def changed_since(person: object, moment: datetime | None) -> bool:
    """Whether anything went wrong after `moment`."""
    return any(moment is None or at is None or at > moment for at in alarms(signs_for(person)).values())


def _moment(value: datetime | None) -> datetime | None:
    """SQLite's has no zone, and is UTC."""
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
