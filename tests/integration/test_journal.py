"""SQLite's journal gives back the room that it took while somebody kept it from being written back."""

import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from manager import database_url

MB = 1_000_000


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite alone")
def test_it_shrinks_after_a_reader_has_gone(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    path, journal = tmp_path / "db.sqlite3", tmp_path / "db.sqlite3-wal"
    with django_db_blocker.unblock():
        database = ConnectionHandler({"default": database_url.read(f"sqlite:///{path}")})["default"]
        cursor = database.cursor()
        cursor.execute("CREATE TABLE kept (value BLOB)")
        backup = sqlite3.connect(path, isolation_level=None)
        backup.execute("BEGIN")
        backup.execute("SELECT * FROM kept").fetchall()
        for _each in range(20):
            cursor.execute("INSERT INTO kept VALUES (zeroblob(1000000))")
        assert journal.stat().st_size > 15 * MB
        backup.close()
        for _each in range(3):
            cursor.execute("INSERT INTO kept VALUES (zeroblob(100000))")
        assert journal.stat().st_size < 9 * MB
        database.close()
