"""The lock of whoever makes or alters tables: of several that start at once, one does (PostgreSQL)."""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

NUMBER: Final = 1_702_258_499  # of PostgreSQL's advisory locks; any that nobody else takes


def took(connection: BaseDatabaseWrapper) -> bool:
    """Take it until the end of the transaction that is open. Return False where somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [NUMBER])
        return bool(cursor.fetchone()[0])
