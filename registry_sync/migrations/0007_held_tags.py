from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0006_names_only")]

    operations = [
        migrations.AddField("syncrun", "held", models.PositiveIntegerField(db_default=0, default=0)),
    ]
