from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0013_rolled_back")]

    operations = [
        migrations.AddField("repository", "held", models.PositiveIntegerField(db_default=0, default=0)),
    ]
