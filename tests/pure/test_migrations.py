"""The panel goes on while it is migrated: what the code of the last release reads and writes stays as it is.

First a release that no longer needs a thing, then one that takes it away: that migration says so by `contracts = True`.
"""

from collections.abc import Iterator

import pytest
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader

# Nothing was released before these.
BASE = {"accounts": "0003", "namespaces": "0006", "registry_sync": "0005"}
TAKES_AWAY = (operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel,
              operations.AlterModelTable, operations.AlterUniqueTogether)  # fmt: skip


def troubles(migration: Migration) -> Iterator[str]:
    new = {each.name_lower for each in migration.operations if isinstance(each, operations.CreateModel)}
    for each in migration.operations:
        match each:
            case operations.SeparateDatabaseAndState() | operations.RunPython() | operations.RunSQL():
                continue  # for the eyes of a reader
            case _ if isinstance(each, TAKES_AWAY):
                yield f"{each.describe()}: the old code still uses it"
            case operations.AddField() if each.model_name_lower not in new:
                if not each.field.null and not each.field.has_db_default():
                    yield f"{each.describe()}: old code writes no such field; give it null=True or db_default"
            case operations.AlterField() if not each.field.null:
                yield f"{each.describe()}: rows of old code may not fit"


def test_the_panel_goes_on_while_it_is_migrated() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for (app, name), migration in loader.disk_migrations.items():
        if name[:4] > BASE.get(app, "9999") and not getattr(migration, "contracts", False):
            assert list(troubles(migration)) == [], f"{app} {name}"


@pytest.mark.parametrize(
    ("app", "name", "found"),
    [("namespaces", "0001_initial", False), ("namespaces", "0003_true_picture", True)],
)
def test_the_rule_finds_what_it_looks_for(app: str, name: str, found: bool) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert bool(list(troubles(loader.disk_migrations[app, name]))) is found
