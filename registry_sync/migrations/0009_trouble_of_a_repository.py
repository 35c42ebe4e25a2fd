from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry_sync", "0008_fair_turns")]

    operations = [
        migrations.AddField(
            "repository", "failures", models.PositiveSmallIntegerField(default=0, db_default=0)
        ),
        migrations.AddIndex(
            "repository",
            models.Index(
                fields=["image"], name="repository_troubled", condition=models.Q(("problem", ""), _negated=True)
            ),
        ),
    ]
