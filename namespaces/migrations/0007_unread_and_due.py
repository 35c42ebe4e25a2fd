"""Marks for what could not be read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0006_usage_of_two_heights")]

    operations = [
        migrations.AddField("tag", "unread_since", models.DateTimeField(null=True)),
        migrations.AddField("manifest", "due_at", models.DateTimeField(null=True, editable=False)),
    ]
