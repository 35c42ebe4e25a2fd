"""Rules count digests. Those that are on are compared with what they removed before, at their next run."""

from django.db import migrations, models

READING = 2


def nobody_waits(apps, schema_editor):
    apps.get_model("registry_sync", "RetentionRule").objects.filter(enabled=False).update(reading=READING)


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0009_trouble_of_a_repository")]

    operations = [
        migrations.AddField(
            "retentionrule",
            "reading",
            models.PositiveSmallIntegerField(db_default=1, default=READING, editable=False),
        ),
        migrations.RunPython(nobody_waits, migrations.RunPython.noop),
    ]
