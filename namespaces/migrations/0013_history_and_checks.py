from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0012_unread_manifests")]

    operations = [
        migrations.RemoveIndex("tagmove", "move_by_tag"),
        migrations.AddIndex(
            "tagmove", models.Index(fields=["image", "-at", "-id"], name="move_by_moment")
        ),
        migrations.AddIndex(
            "tagmove", models.Index(fields=["image", "tag", "-at", "-id"], name="move_by_tag_moment")
        ),
        migrations.AddField("pull", "checks", models.PositiveBigIntegerField(db_default=0, default=0)),
        migrations.AddField("pull", "checked_at", models.DateTimeField(null=True)),
    ]
