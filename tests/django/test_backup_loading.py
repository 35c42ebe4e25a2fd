"""A row that the database does not take is named by its table, whichever the database is."""

import io
from typing import Any

import pytest
from django.db import connection, transaction

from manager import migration_lock
from manager.backup import loading
from manager.backup.archive import ArchiveError, Columns, Reader
from registry_sync.models import Marker
from tests.unit.test_backup_archive import archive

pytestmark = pytest.mark.django_db
COLUMNS: Columns = [["name", "text"], ["at", "moment"]]


def load(rows: list[list[Any]]) -> None:
    with transaction.atomic():
        loading._load(connection, Marker._meta.db_table, COLUMNS, iter(rows))


def test_a_row_that_the_database_does_not_take_is_named() -> None:
    with pytest.raises(
        ArchiveError, match=r"does not take a row of registry_sync_marker: .*(NOT NULL|null value)"
    ):
        load([["pulls", None]])
    assert not Marker.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite takes it")
def test_a_nul_that_sqlite_stores_is_named() -> None:
    with pytest.raises(ArchiveError, match=r"does not take a row of registry_sync_marker: .*NUL"):
        load([["a\0b", None]])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in")
def test_two_that_make_tables_at_once_are_one_after_the_other() -> None:
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        assert migration_lock.took(holder)
        with pytest.raises(loading.InUse, match="Another restore or a migration is running"):
            loading.fill(connection, Reader(io.BytesIO(archive())), pytest.fail)
    finally:
        holder.close()
