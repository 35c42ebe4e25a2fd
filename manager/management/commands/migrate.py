"""Django's `migrate`, beside a panel that is in use."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.common.database_errors import Outage, first_line, outage_of
from manager import earlier_build, migration_lock

ATTEMPTS = 10
BETWEEN = 0.5  # seconds
LOCK_FILE = "migrate.lock"
WAITING = "another migration is running; waiting for its end"


class Command(migrate.Command):
    """Django's own `migrate`, without the time limit of pages.

    A lock that is not to be had within `lock_timeout` is given up, since all pages wait behind whoever waits for it,
    and asked for again; what was applied by then stays applied. Of several machines that start at once, one migrates
    and the others wait for it.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            earlier_build.refuse(connections[options["database"]])
            with _alone(connections[options["database"]], self.stderr.write):
                _lift_limit(connections[options["database"]])
                self._migrate(*args, **options)
        except DatabaseError as error:
            if outage_of(error) is Outage.POOLER:
                raise CommandError(Outage.POOLER.sentence) from error
            raise

    def _migrate(self, *args: Any, **options: Any) -> None:
        for left in reversed(range(ATTEMPTS)):
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if outage_of(error) is not Outage.BUSY or not left:
                    raise
                self.stderr.write(f"{first_line(error)}; trying again")
                _connect_anew(connections[options["database"]])
                time.sleep(1)
            else:
                return


@contextmanager
def _alone(connection: BaseDatabaseWrapper, say: Callable[[str], object]) -> Iterator[None]:
    """Hold the lock of migrations, in a transaction of a connection of its own: so it works behind a pooler too.

    The lock is asked for again and again. An index that is built beside the panel waits for all statements that are
    running, also for one that waits for the lock.
    """
    if connection.vendor != "postgresql":
        with _alone_on_this_machine(say):
            yield
        return
    holder, waits = connection.copy(), False
    try:
        while not _took_lock(holder):
            holder.rollback()
            if not waits:
                say(WAITING)
            waits = True
            time.sleep(BETWEEN)
        yield
    finally:
        holder.close()


@contextmanager
def _alone_on_this_machine(say: Callable[[str], object]) -> Iterator[None]:
    """For SQLite, which has no locks but that of its file; each migration takes and releases that."""
    with (Path(settings.DATA_DIR) / LOCK_FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(WAITING)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _took_lock(holder: BaseDatabaseWrapper) -> bool:
    """Begin a transaction and leave it open."""
    holder.set_autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    return migration_lock.took(holder)


def _connect_anew(connection: BaseDatabaseWrapper) -> None:
    """Foreign keys come last, when Django has left the part that ends a transaction: one that failed there is open."""
    connection.close()
    connection.connect()
    if connection.vendor == "postgresql" and settings.DATABASE_POOLER == "none":
        _lift_limit_of_session(connection)


def _lift_limit_of_session(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")


def _lift_limit(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor != "postgresql":
        return
    if settings.DATABASE_POOLER == "none":
        _lift_limit_of_session(connection)
        return

    class Editor(connection.SchemaEditorClass):  # type: ignore[misc,name-defined]
        """Within each transaction: behind a pooler, what outlives one would be given to somebody else."""

        def __enter__(self) -> Any:
            entered = super().__enter__()
            if self.atomic_migration:
                self.execute("SET LOCAL statement_timeout = 0")
            return entered

    connection.SchemaEditorClass = Editor
