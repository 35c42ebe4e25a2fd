"""Gives back the room of SQLite's journal: after a busy hour it stays as long as it ever was, also when it is empty."""

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


def shrink(database: BaseDatabaseWrapper = connection) -> None:
    """Truncate the journal, but do nothing while somebody reads or writes: the next hour tries again."""
    if database.vendor != "sqlite" or database.in_atomic_block:
        return
    with database.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")  # it would hold up all writers while it waits for a reader
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience:d}")
