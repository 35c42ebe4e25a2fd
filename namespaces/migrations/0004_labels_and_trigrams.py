import sys

import django.db.models.deletion
from django.db import migrations, models

import namespaces.models.derived
from namespaces.lists import trigrams

BATCH = 500


def make_index(apps, schema_editor):
    """Needs the extension pg_trgm, which the database's owner may add; a refusal must not stop an update."""
    if problem := trigrams.make_index(schema_editor.connection):
        sys.stderr.write(
            f"\n  Searching for a piece of a tag's name stays slow, because its index could not be made: {problem}\n"
            "  docs/operations.md, “Searching large registries”, says how to make it later.\n"
        )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(trigrams.DROP)


def fill_labels(apps, schema_editor):
    Manifest, Label = apps.get_model("namespaces", "Manifest"), apps.get_model("namespaces", "Label")
    rows = []
    for digest, details in Manifest.objects.values_list("digest", "details").iterator(BATCH):
        labels = details.get("config", {}).get("labels", {})
        rows += [Label(manifest_id=digest, key=key, value=value) for key, value in labels.items()]
        if len(rows) >= BATCH:
            Label.objects.bulk_create(rows, BATCH)
            rows = []
    Label.objects.bulk_create(rows, BATCH)


class Migration(migrations.Migration):

    dependencies = [
        ('namespaces', '0003_true_picture'),
    ]

    operations = [
        migrations.RunPython(make_index, drop_index),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('value', models.TextField()),
                ('start', namespaces.models.derived.ValuePrefix(default='', editable=False, max_length=100)),
                ('manifest', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='namespaces.manifest')),
            ],
            options={
                'indexes': [models.Index(fields=['start', 'manifest'], name='label_by_start')],
                'constraints': [models.UniqueConstraint(fields=('manifest', 'key'), name='label_once')],
            },
        ),
        migrations.RunPython(fill_labels, migrations.RunPython.noop),
    ]
