"""Fills an empty database from an archive, in one transaction: all of it is there then, or nothing has changed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal

from django.apps import apps as current_apps
from django.core.management.color import no_style
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import DataError, IntegrityError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from accounts.common import clock
from accounts.common.amounts import amount
from manager import migration_lock
from manager.backup import snapshot
from manager.backup.archive import About, ArchiveError, Columns, Reader
from manager.backup.tables import Table, all_names, tables
from manager.backup.values import Value
from registry_sync import heartbeats

BATCH: Final = 1000  # rows
WORKER_ALIVE: Final = timedelta(minutes=1)  # it gives a sign every ten seconds
# What people made: where none of it is, nothing is lost.
_MADE_BY_PEOPLE: Final = {
    "accounts_person": ("person", "people"), "accounts_account": ("account", "accounts"),
    "accounts_auditevent": ("event of the audit log", "events of the audit log"),
}  # fmt: skip
_SIGNS_OF_A_WORKER: Final = {"registry_sync_marker", "registry_sync_lease", "registry_sync_shard"}


class NotEmpty(Exception):
    """The installation holds what somebody made; the message says what."""


class InUse(Exception):
    """The panel runs, or somebody else makes or alters the tables at this moment; the message says so."""


def fill(connection: BaseDatabaseWrapper, reader: Reader, finish: Callable[[], None]) -> None:
    """Make the tables anew as they were, fill them, migrate to what this build has, and call `finish` at the end.

    All in one transaction. Raise NotEmpty, InUse, ArchiveError.
    """
    with _constraints_checked_at_the_end(connection), transaction.atomic(using=connection.alias):
        if connection.vendor == "postgresql":
            snapshot.lift_limits(connection)
            if not migration_lock.took(connection):
                raise InUse("Another restore or a migration is running.")
        refuse_unless_empty(connection)
        _drop(connection)
        executor, targets = _as_then(connection, reader.about)
        _migrate(executor, targets)
        found = {table.name: table for table in tables(executor.loader.project_state(targets).apps)}
        _check_columns(found, reader.about)
        _clear(connection, found)
        for name, rows in reader.tables():
            _load(connection, name, reader.about.tables[name], rows)
        last_keys = {
            name: total.last_key for name, total in reader.totals.items() if total.last_key is not None
        }
        _set_last_keys(connection, found, last_keys)
        _check_constraints(connection)
        executor = _executor(connection)
        _migrate(executor, executor.loader.graph.leaf_nodes())
        # SQLite makes a table anew to alter it, and forgets the keys that are gone.
        if connection.vendor == "sqlite":
            _set_last_keys(connection, {table.name: table for table in tables(current_apps)}, last_keys)
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
        finish()
        _check_constraints(connection)


def refuse_unless_empty(connection: BaseDatabaseWrapper) -> None:
    """Raise NotEmpty, and InUse where a worker was alive in the last minute: its installation is empty, and runs."""
    there = set(connection.introspection.table_names())
    held = []
    with connection.cursor() as cursor:
        for table, what in _MADE_BY_PEOPLE.items():
            if table in there:
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
                if count := cursor.fetchone()[0]:
                    held.append(amount(count, *what))
    if held:
        raise NotEmpty(f"The database holds {', '.join(held)}.")
    if there >= _SIGNS_OF_A_WORKER:
        _refuse_beside_a_worker(clock.now())


def _refuse_beside_a_worker(now: datetime) -> None:
    at = heartbeats.worker_at()
    if at and -heartbeats.AHEAD_MAX <= now - at < WORKER_ALIVE:
        raise InUse(
            "A worker was alive in the last minute. What runs has read the keys of before: stop all but the database, "
            "and try again in a minute."
        )


@contextmanager
def _constraints_checked_at_the_end(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """SQLite checks foreign keys, and lets no table be dropped or altered, unless that is off before it begins."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.disable_constraint_checking()
    try:
        yield
    finally:
        connection.enable_constraint_checking()


def _drop(connection: BaseDatabaseWrapper) -> None:
    """Only what is ours: somebody else may have tables in the same database."""
    there = sorted(all_names(current_apps) & set(connection.introspection.table_names()))
    with connection.cursor() as cursor:
        for table in there:
            cascade = " CASCADE" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}{cascade}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS audit_append_only()")


def _as_then(
    connection: BaseDatabaseWrapper, about: About
) -> tuple[MigrationExecutor, list[tuple[str, str]]]:
    """Return what migrates to where the archive's tables are. Raise ArchiveError where this build cannot."""
    executor = _executor(connection)
    graph, applied = executor.loader.graph, {(app, name) for app, name in about.migrations}
    if unknown := sorted(applied - set(graph.nodes)):
        raise ArchiveError(
            f"It is of another build, {about.version}: this one does not know the migration "
            f"{'.'.join(unknown[0])}. Restore it with that build or a newer one."
        )
    targets = sorted(
        key for key in applied if not any(child.key in applied for child in graph.node_map[key].children)
    )
    if {(each.app_label, each.name) for each, _back in executor.migration_plan(targets)} != applied:
        raise ArchiveError("Its list of migrations has gaps.")
    return executor, targets


def _migrate(executor: MigrationExecutor, targets: list[tuple[str, str]]) -> None:
    plan = executor.migration_plan(targets)
    state = executor.loader.project_state(list(executor.loader.applied_migrations))
    emit_pre_migrate_signal(
        verbosity=0, interactive=False, db=executor.connection.alias, apps=state.apps, plan=plan
    )
    executor.migrate(targets, plan=plan)


def _executor(connection: BaseDatabaseWrapper) -> MigrationExecutor:
    """PostgreSQL alters no table of which rows wait for a check, as they do once this transaction has written them."""

    def check_at_once(action: str, *_more: Any) -> None:
        if action == "apply_start":
            _set_constraints(connection, "IMMEDIATE")

    return MigrationExecutor(connection, check_at_once)


def _set_constraints(connection: BaseDatabaseWrapper, when: Literal["IMMEDIATE", "DEFERRED"]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS ALL {when}")


def _check_columns(found: dict[str, Table], about: About) -> None:
    for name, columns in about.tables.items():
        # In any order: a column that a migration added is the table's last, and may be the model's first.
        if name not in found or sorted(map(tuple, columns)) != sorted(found[name].columns):
            raise ArchiveError(f"Its table {name} is another than its migrations make.")
    missing = set(found) - set(about.tables) - set(about.left_out)
    if missing:
        raise ArchiveError(f"Its table {min(missing)} is missing.")


def _clear(connection: BaseDatabaseWrapper, found: dict[str, Table]) -> None:
    """Migrations write some rows; those of the archive take their place."""
    with connection.cursor() as cursor:
        for name in reversed(found):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608
    _set_constraints(connection, "DEFERRED")


def _load(connection: BaseDatabaseWrapper, table: str, columns: Columns, rows: Iterator[list[Value]]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name, _kind in columns)
    adapt = [_ADAPT.get((connection.vendor, kind)) for _name, kind in columns]
    adapted = (
        [value if value is None or not step else step(connection, value)
         for value, step in zip(row, adapt, strict=True)] for row in rows
    )  # fmt: skip
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Django hands the driver's `copy` out as it is: its errors are not Django's by themselves.
                statement = f"COPY {quote(table)} ({names}) FROM STDIN"
                with connection.wrap_database_errors, cursor.copy(statement) as copy:
                    for row in adapted:
                        copy.write_row(row)
                return
            places = ", ".join(["%s"] * len(columns))
            insert = f"INSERT INTO {quote(table)} ({names}) VALUES ({places})"  # noqa: S608
            while batch := list(islice(adapted, BATCH)):
                cursor.executemany(insert, batch)
    except (DataError, IntegrityError) as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise ArchiveError(f"The database does not take a row of {table}: {said}.") from error


def _json_text(_connection: BaseDatabaseWrapper, value: Any) -> str:
    return json.dumps(value[0])


# (database, kind) → what makes a value one of the driver's
_ADAPT: Final[dict[tuple[str, str], Callable[[BaseDatabaseWrapper, Any], Any]]] = {
    ("sqlite", "json"): _json_text,
    ("postgresql", "json"): _json_text,
    ("sqlite", "moment"): lambda connection, value: connection.ops.adapt_datetimefield_value(value),
    ("sqlite", "uuid"): lambda _connection, value: value.hex,
    ("sqlite", "day"): lambda connection, value: connection.ops.adapt_datefield_value(value),
}


def _set_last_keys(
    connection: BaseDatabaseWrapper, found: dict[str, Table], last_keys: dict[str, int]
) -> None:
    """No key is given twice, not that of a row which is gone either: the audit log names rows by it."""
    for name, key in last_keys.items():
        if name not in found:
            continue
        there = (snapshot.last_key(connection, found[name]) or 0) if connection.vendor == "sqlite" else 0
        _set_last_key(connection, found[name], max(key, there))


def _set_last_key(connection: BaseDatabaseWrapper, table: Table, key: int) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table.name])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table.name, key])
        elif key:
            quoted = connection.ops.quote_name(table.name)
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [quoted, table.key, key])
        else:
            for sql in connection.ops.sequence_reset_sql(no_style(), [table.model]):
                cursor.execute(sql)


def _check_constraints(connection: BaseDatabaseWrapper) -> None:
    try:
        connection.check_constraints()
    except IntegrityError as error:
        raise ArchiveError(
            f"Its rows do not fit together: {str(error).splitlines()[0].rstrip('.')}."
        ) from error
