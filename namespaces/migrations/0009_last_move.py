"""What an open page asks for: the newest move of an image's tags, beside the image."""

from importlib import import_module

from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery

AddIndexBeside = import_module("namespaces.migrations.0008_fewer_indexes").AddIndexBeside
BATCH = 1000


class AddFieldOnce(migrations.AddField):
    """For what is not one transaction: an earlier attempt may have broken off behind it."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            columns = schema_editor.connection.introspection.get_table_description(cursor, table)
        if self.name not in {column.name for column in columns}:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def fill(apps, schema_editor):
    image, move = apps.get_model("namespaces", "Image"), apps.get_model("namespaces", "TagMove")
    newest = move.objects.filter(image=OuterRef("pk")).order_by("-id").values("id")[:1]
    last = image.objects.aggregate(last=Max("id"))["last"] or 0
    for start in range(0, last + 1, BATCH):
        some = image.objects.filter(id__gte=start, id__lt=start + BATCH, last_move=0, moves__isnull=False)
        image.objects.filter(pk__in=some.values("pk")).update(last_move=Subquery(newest))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("namespaces", "0008_fewer_indexes")]

    operations = [
        AddFieldOnce("image", "last_move", models.BigIntegerField(db_default=0, default=0, editable=False)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexBeside("image", models.Index(fields=["namespace", "-last_move"], name="image_by_move")),
    ]
