"""SQLite's journal gives back the room that it took while somebody kept it from being written back."""

import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from accounts.common import sqlite_wal
from manager import database_url
from registry_sync import tasks

MB = 1_000_000


pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite alone")


def test_it_shrinks_after_a_reader_has_gone(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    path, kept = tmp_path / "db.sqlite3", tmp_path / "db.sqlite3-wal"
    with django_db_blocker.unblock():
        database = ConnectionHandler({"default": database_url.read(f"sqlite:///{path}")})["default"]
        cursor = database.cursor()
        cursor.execute("CREATE TABLE kept (value BLOB)")
        backup = sqlite3.connect(path, isolation_level=None)
        backup.execute("BEGIN")
        backup.execute("SELECT * FROM kept").fetchall()
        for _each in range(20):
            cursor.execute("INSERT INTO kept VALUES (zeroblob(1000000))")
        assert kept.stat().st_size > 15 * MB
        backup.close()
        for _each in range(3):
            cursor.execute("INSERT INTO kept VALUES (zeroblob(100000))")
        assert kept.stat().st_size < 9 * MB
        database.close()


def test_housekeeping_empties_it_and_waits_for_nobody(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    path, kept = tmp_path / "db.sqlite3", tmp_path / "db.sqlite3-wal"
    with django_db_blocker.unblock():
        database = ConnectionHandler({"default": database_url.read(f"sqlite:///{path}")})["default"]
        cursor = database.cursor()
        cursor.execute("CREATE TABLE kept (value BLOB)")
        patience = cursor.execute("PRAGMA busy_timeout").fetchone()
        backup = sqlite3.connect(path, isolation_level=None)
        backup.execute("BEGIN")
        backup.execute("SELECT * FROM kept").fetchall()
        cursor.execute("INSERT INTO kept VALUES (zeroblob(3000000))")
        sqlite_wal.shrink(database)  # a reader still needs it
        assert kept.stat().st_size > 2 * MB
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == patience
        backup.close()
        sqlite_wal.shrink(database)
        assert kept.stat().st_size == 0
        assert cursor.execute("SELECT count(*) FROM kept").fetchone() == (1,)
        database.close()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL looks after its journal itself.")
@pytest.mark.django_db(transaction=True)
def test_housekeeping_asks_for_it() -> None:
    with CaptureQueriesContext(connection) as asked:
        tasks.housekeeping()
    assert any("wal_checkpoint" in each["sql"] for each in asked)


@pytest.mark.django_db
def test_within_a_transaction_it_is_left_alone() -> None:
    sqlite_wal.shrink()
