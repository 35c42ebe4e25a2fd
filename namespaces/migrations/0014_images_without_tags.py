from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0013_history_and_checks")]

    operations = [
        migrations.AddField(
            "image", "untagged", models.PositiveIntegerField(db_default=0, default=0, editable=False)
        ),
    ]
