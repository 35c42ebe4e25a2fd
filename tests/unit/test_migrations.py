"""The panel goes on while it is migrated: what the code of the last release reads and writes stays as it is.

First a release that no longer needs a thing, then one that takes it away: that migration says so by `contracts = True`.
"""

from collections.abc import Iterator

import pytest
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader

from manager.earlier_build import OURS

WITHOUT_INDEX = models.ForeignKey("namespaces.image", on_delete=models.CASCADE, db_index=False)
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
            case operations.AlterField(field=models.TextField()):
                continue  # it takes every text that was bounded before
            case operations.AlterField(field=models.ForeignKey(db_index=False)):
                continue  # it loses its index
            case operations.AlterField() if each.field.choices:
                continue  # Django alone knows them
            case operations.AlterField() if not each.field.null:
                yield f"{each.describe()}: rows of old code may not fit"


def test_the_panel_goes_on_while_it_is_migrated() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for (app, name), migration in loader.disk_migrations.items():
        if app in OURS and not migration.initial and not getattr(migration, "contracts", False):
            assert list(troubles(migration)) == [], f"{app} {name}"


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (operations.AddField("tag", "note", models.TextField(null=True)), False),
        (operations.AddField("tag", "note", models.TextField(default="", db_default="")), False),
        (operations.AddField("tag", "note", models.TextField(default="")), True),
        (operations.AlterField("tag", "size", models.IntegerField()), True),
        (operations.AlterField("tag", "note", models.TextField()), False),
        (operations.AlterField("tag", "kind", models.CharField(choices=[("a", "A")])), False),
        (operations.AlterField("tag", "image", WITHOUT_INDEX), False),
        (operations.RenameField("tag", "size", "bytes"), True),
        (operations.RemoveField("tag", "size"), True),
        (operations.DeleteModel("tag"), True),
    ],
)
def test_the_rule_finds_what_it_looks_for(operation: operations.base.Operation, found: bool) -> None:
    migration = Migration("0002_note", "namespaces")
    migration.operations = [operation]
    assert bool(list(troubles(migration))) is found


def test_new_tables_may_have_any_field() -> None:
    migration = Migration("0002_note", "namespaces")
    migration.operations = [
        operations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddField("note", "text", models.TextField()),
    ]
    assert list(troubles(migration)) == []
