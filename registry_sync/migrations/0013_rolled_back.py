"""Whether a difference led a tag back to what it had left."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0012_pulls_and_checks")]

    operations = [
        migrations.AddField("drift", "back", models.BooleanField(db_default=False, default=False)),
    ]
