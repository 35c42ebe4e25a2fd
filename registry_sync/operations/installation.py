"""What the installation is made of: its version, its database and what that holds, and the room that is left."""

import shutil
import sqlite3
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, Subquery, Sum
from django.utils import timezone

from accounts.models import Account, Person
from namespaces import usage
from namespaces.models import Usage
from registry_sync import backup_due
from registry_sync.models import Backup

TABLES_SHOWN: Final = 5


@dataclass(frozen=True)
class Installation:
    """`tables`: (name, bytes) of the largest, () where the database does not tell.

    `disk_free` and `disk_total` are bytes of the file system that holds DATA_DIR, 0 where nothing large is kept there.
    `backup`: the last that `manage.py backup` completed, None for never.
    `stored_bytes`: what accounts hold in the registry, as last measured; a layer counts once in each account.
    `everybody`: the same where it counts once in all.
    """

    version: str
    database: str
    database_bytes: int
    tables: tuple[tuple[str, int], ...]
    stored_bytes: int
    everybody: Usage
    person_count: int
    account_count: int
    disk_free: int
    disk_total: int
    backup: Backup | None
    backup_is_late: bool


def installation() -> Installation:
    free, total = _disk()
    backup = Backup.objects.first()
    due_at = backup_due.due_at(backup)
    return Installation(
        version=settings.VERSION,
        database=_database(),
        database_bytes=_database_bytes(),
        tables=_tables(),
        stored_bytes=_stored_bytes(),
        everybody=usage.newest(None),
        person_count=Person.objects.count(),
        account_count=Account.objects.filter(closed_at=None).count(),
        disk_free=free,
        disk_total=total,
        backup=backup,
        backup_is_late=due_at is not None and timezone.now() > due_at,
    )


def _database() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {_value('SHOW server_version')}"


def _database_bytes() -> int:
    if connection.vendor == "sqlite":
        return int(_value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
    return int(_value("SELECT pg_database_size(current_database())"))


def _tables() -> tuple[tuple[str, int], ...]:
    """Return the largest, with their indexes. SQLite tells it only by reading all of the file."""
    if connection.vendor == "sqlite":
        return ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC, 1 LIMIT %s",
            [TABLES_SHOWN],
        )
        return tuple((name, int(size)) for name, size in cursor.fetchall())


def _stored_bytes() -> int:
    newest = Usage.objects.filter(account_id=OuterRef("pk"), namespace_id=0).order_by("-day")
    held = Account.objects.order_by().annotate(held=Subquery(newest.values("stored_bytes")[:1]))
    return int(held.aggregate(sum=Sum("held"))["sum"] or 0)


def _disk() -> tuple[int, int]:
    """Return (free, all). Of the file system that a database or registry of our own fills up."""
    if connection.vendor != "sqlite":
        return 0, 0
    disk = shutil.disk_usage(settings.DATA_DIR)
    return disk.free, disk.total


def _value(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])
