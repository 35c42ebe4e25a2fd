"""An index to find what could not be read; and all of it is read anew, for much of it can be by now."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone


def read_again(apps: Any, _editor: Any) -> None:
    """But for Docker's first form, which is known for what it is."""
    rows = apps.get_model("namespaces", "Manifest").objects.filter(kind="unknown")
    first_form = "application/vnd.docker.distribution.manifest.v1+"
    rows.exclude(media_type__startswith=first_form).update(due_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0011_tags_of_tools")]

    operations = [
        migrations.AddIndex(
            "manifest",
            models.Index(fields=["digest"], name="manifest_unread", condition=models.Q(kind="unknown")),
        ),
        migrations.RunPython(read_again, migrations.RunPython.noop),
    ]
