"""The rows of a database as they are at one moment, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from manager.backup.tables import Table

FETCH: Final = 1000  # rows
_LIMITS: Final = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


@contextmanager
def snapshot(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Within it all statements see the database as it was at the first. Nobody waits for it."""
    if connection.vendor == "sqlite":
        # Not `atomic`, which begins as a writer does (IMMEDIATE) and would keep all others out.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        lift_limits(connection)
        yield


def lift_limits(connection: BaseDatabaseWrapper) -> None:
    """In this transaction, as far as this PostgreSQL knows them.

    Large tables are sorted first, and the archive may go to or come from somebody slow.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY(%s)", [list(_LIMITS)]
        )


def rows(connection: BaseDatabaseWrapper, table: Table) -> Iterator[tuple[Any, ...]]:
    """Yield the values of its columns by its key; memory holds FETCH of them."""
    quote = connection.ops.quote_name
    expressions = [each.get_col(table.name, each) for each in table.fields]
    converters = [_converters(connection, each) for each in expressions]
    columns = ", ".join(quote(name) for name, _kind in table.columns)
    # The order of bytes, which SQLite has anyway: a backup of the same rows is the same.
    collation = ' COLLATE "C"' if connection.vendor == "postgresql" and table.key_is_text else ""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {quote(table.name)} ORDER BY {quote(table.key)}{collation}"  # noqa: S608
        )
        while found := cursor.fetchmany(FETCH):
            for row in found:
                yield tuple(
                    _converted(value, steps, expression, connection)
                    for value, steps, expression in zip(row, converters, expressions, strict=True)
                )


def last_key(connection: BaseDatabaseWrapper, table: Table) -> int | None:
    """Return the highest key that the table ever gave, which may be that of a row that is gone."""
    if not table.counts_up:
        return None
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table.name])
            found = cursor.fetchone()
            return int(found[0]) if found else 0
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, %s)", [connection.ops.quote_name(table.name), table.key]
        )
        cursor.execute(f"SELECT last_value, is_called FROM {cursor.fetchone()[0]}")  # noqa: S608
        value, given = cursor.fetchone()
        return int(value) if given else 0


def _converters(connection: BaseDatabaseWrapper, expression: Any) -> list[Any]:
    """Return the database's own, and not the field's: a field may shorten or translate what it reads."""
    return list(connection.ops.get_db_converters(expression))


def _converted(value: Any, steps: list[Any], expression: Any, connection: BaseDatabaseWrapper) -> Any:
    for step in steps:
        value = step(value, expression, connection)
    return value
