"""No index where another begins alike, and of a digest one and not two."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexBeside(AddIndexConcurrently):
    """While others write, where the database can; anew, where an earlier attempt broke off."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        name = schema_editor.quote_name(self.index.name)
        beside = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP INDEX {beside} IF EXISTS {name}")
        if beside:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


def without_own_index(model_name, name, field):
    """Drops what Django made by itself and nothing else: AlterField would make the foreign key anew, and have the
    database check every row of it while nobody can write."""

    def drop(apps, schema_editor):
        model, connection = apps.get_model("namespaces", model_name), schema_editor.connection
        column, named = model._meta.get_field(name).column, {index.name for index in model._meta.indexes}
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        beside = "CONCURRENTLY" if connection.vendor == "postgresql" else ""
        for index, each in found.items():
            if each["columns"] == [column] and each["index"] and not each["unique"] and index not in named:
                schema_editor.execute(f"DROP INDEX {beside} {connection.ops.quote_name(index)}")

    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunPython(drop, migrations.RunPython.noop)],
        state_operations=[migrations.AlterField(model_name, name, field)],
    )


def key(to, name, on_delete=models.CASCADE):
    return models.ForeignKey(db_index=False, on_delete=on_delete, related_name=name, to=to)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("namespaces", "0007_unread_and_due")]

    operations = [
        AddIndexBeside(
            "manifest",
            models.Index(fields=["due_at"], name="manifest_due", condition=~models.Q(due_at=None)),
        ),
        AddIndexBeside("tag", models.Index(fields=["manifest"], name="tag_of_manifest")),
        AddIndexBeside("revision", models.Index(fields=["manifest"], name="revision_of_manifest")),
        AddIndexBeside("part", models.Index(fields=["digest"], name="part_by_digest")),
        without_own_index("tag", "manifest", key("namespaces.manifest", "tags", models.PROTECT)),
        without_own_index("revision", "manifest", key("namespaces.manifest", "revisions", models.PROTECT)),
        without_own_index("part", "digest", models.CharField(max_length=140)),
        without_own_index("tag", "image", key("namespaces.image", "tags")),
        without_own_index("tagmove", "image", key("namespaces.image", "moves")),
        without_own_index("revision", "image", key("namespaces.image", "revisions")),
        without_own_index("part", "manifest", key("namespaces.manifest", "parts")),
        without_own_index("label", "manifest", key("namespaces.manifest", "labels")),
    ]
