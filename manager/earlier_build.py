"""A database of an earlier build: this one cannot read it, and leaves it as it is."""

from pathlib import Path

from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

OURS = ("accounts", "namespaces", "registry_sync")


def refuse(connection: BaseDatabaseWrapper) -> None:
    """CommandError when the database records migrations of ours that this build does not have."""
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists():
        return  # asking would make the file
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    recorded = MigrationRecorder(connection).applied_migrations()
    if unknown := sorted(key for key in recorded if key[0] in OURS and key not in known):
        app, name = unknown[0]
        raise CommandError(
            f"The database was made by another build (it records {app}.{name}, which this one does not have), so "
            "nothing was changed: start with an empty DATA_DIR or database, or run the build that made it."
        )
