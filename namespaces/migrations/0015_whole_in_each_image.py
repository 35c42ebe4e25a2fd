"""What is missing is missing in an image, and not of a digest: when it is asked for again stands with the image.

What an earlier release read without its platforms, or without their time, is read anew.
"""

from typing import Any

from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone


def read_again(apps: Any, _editor: Any) -> None:
    manifests = apps.get_model("namespaces", "Manifest").objects
    without = Q(kind="index") & (Q(platforms=[]) | Q(created_at=None))
    manifests.filter(without | ~Q(due_at=None)).update(whole=False)
    held = apps.get_model("namespaces", "Revision").objects.filter(gone_at=None, manifest__whole=False)
    held.update(due_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0014_images_without_tags")]

    operations = [
        migrations.AddField(
            "manifest", "whole", models.BooleanField(db_default=True, default=True, editable=False)
        ),
        migrations.AddField("revision", "due_at", models.DateTimeField(null=True, editable=False)),
        migrations.RunPython(read_again, migrations.RunPython.noop),
        migrations.RemoveIndex("manifest", "manifest_due"),
        # The column stays for now: the code of the last release reads and writes it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("manifest", "due_at")]),
        migrations.AddIndex(
            "revision", models.Index(fields=["due_at"], name="revision_due", condition=~Q(due_at=None))
        ),
    ]
