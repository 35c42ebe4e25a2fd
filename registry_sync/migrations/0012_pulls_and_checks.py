from django.db import migrations, models


def keep_as_before(apps, schema_editor):
    """Till now a check was counted as a pull."""
    apps.get_model("registry_sync", "RetentionRule").objects.exclude(keep_pulled_days=None).update(keep_checked=True)


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0011_set_aside")]

    operations = [
        migrations.AddField("event", "method", models.CharField(db_default="", default="", max_length=10)),
        migrations.AddField("retentionrule", "keep_checked", models.BooleanField(db_default=False, default=False)),
        migrations.AddIndex(
            "event",
            models.Index(
                fields=["repository", "digest", "at"], name="event_pulled", condition=models.Q(action="pull")
            ),
        ),
        migrations.RunPython(keep_as_before, migrations.RunPython.noop),
    ]
