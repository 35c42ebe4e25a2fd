"""A row that the database does not take is named by its table, whichever the database is."""

import io
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

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


@pytest.mark.parametrize(
    ("seconds_ago", "runs"), [(0, True), (50, True), (-20, True), (70, False), (-300, False), (None, False)]
)
def test_an_empty_installation_whose_worker_is_alive_is_in_use(seconds_ago: int | None, runs: bool) -> None:
    if seconds_ago is not None:
        at = timezone.now() - timedelta(seconds=seconds_ago)
        Marker.objects.create(name=Marker.WORKER, at=at)
    with pytest.raises(loading.InUse, match="A worker was alive") if runs else nullcontext():
        loading.refuse_unless_empty(connection)


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
