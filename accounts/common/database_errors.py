"""What is wrong with the database, in words for people: an error's own text names hosts and files."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final

from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RETRY_AFTER: Final = 5  # seconds


class Outage(Enum):
    AWAY = _("The panel cannot reach its database at the moment.")
    BUSY = _("The panel’s database is busy at the moment.")
    FULL = _(
        "The panel’s disk is full: nothing can be saved until space is freed. Everything can still be "
        "viewed, and docker pull keeps working."
    )
    READ_ONLY = _("The panel’s database is read-only at the moment. Everything can still be viewed.")
    POOLER = _(
        "The panel’s database is behind a connection pooler, and the panel is not configured for it: set "
        "DATABASE_POOLER."
    )
    OTHER_VERSION = _(
        "The panel’s database is not of the version that runs: manage.py migrate was not run, or did not finish."
    )

    @property
    def sentence(self) -> str:
        words: Promise = self.value
        return str(words)


# The names that PostgreSQL and SQLite have for it; everything else of an OperationalError is AWAY.
_POSTGRESQL = {
    "53100": Outage.FULL,
    "55P03": Outage.BUSY,  # lock_timeout
    "57014": Outage.BUSY,  # statement_timeout
    "40P01": Outage.BUSY,  # deadlock
    "25P03": Outage.AWAY,  # stopped in a transaction for so long that the server ended it
    "25006": Outage.READ_ONLY,  # a standby
    # What was prepared or opened is on another connection than the one that we were given.
    "42P05": Outage.POOLER,
    "26000": Outage.POOLER,
    "34000": Outage.POOLER,
    "42P01": Outage.OTHER_VERSION,  # no such table
    "42703": Outage.OTHER_VERSION,  # no such column
}
_SQLITE = {
    sqlite3.SQLITE_FULL: Outage.FULL,
    sqlite3.SQLITE_BUSY: Outage.BUSY,
    sqlite3.SQLITE_LOCKED: Outage.BUSY,
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
}
_DROPPED = "unsupported startup parameter"  # a pooler's refusal has no code
_PRIMARY = 0xFF  # of SQLite's codes; above it stands the detail
_OTHER_TABLES = ("no such table", "no such column", "has no column named")  # SQLite has no code for it


class UnknownPooler(OperationalError):
    """What we asked for with a connection did not get to the server."""


def outage_of(error: BaseException | None) -> Outage | None:
    """None when `error` is no outage, but a fault of ours."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    if isinstance(error, UnknownPooler) or _DROPPED in str(error):
        return Outage.POOLER
    cause = error.__cause__
    if isinstance(cause, sqlite3.OperationalError) and any(text in str(cause) for text in _OTHER_TABLES):
        return Outage.OTHER_VERSION
    known = _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "") or _SQLITE.get(
        getattr(cause, "sqlite_errorcode", 0) & _PRIMARY
    )
    if known or isinstance(error, InternalError):
        return known
    return Outage.AWAY if isinstance(error, OperationalError | InterfaceError) else None


@contextmanager
def in_passing() -> Iterator[None]:
    """For a write that reading causes: what was asked for is shown whether it can be made or not."""
    with suppress(DatabaseError), transaction.atomic():
        yield


def first_line(error: BaseException) -> str:
    """For the log."""
    return str(error).strip().partition("\n")[0]
