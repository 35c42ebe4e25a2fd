from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0005_event_received")]

    operations = [
        migrations.AddField("syncrun", "names_only", models.BooleanField(db_default=False, default=False)),
    ]
