"""What was kept before moments were bounded: one that is none in some zone ends as late as it may."""

from datetime import UTC, datetime

from django.db import migrations

LAST = datetime(9999, 1, 2, tzinfo=UTC)


def bound(apps, schema_editor):
    for name in ("RegistryUser", "ApiToken"):
        apps.get_model("accounts", name).objects.filter(expires_at__gt=LAST).update(expires_at=LAST)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_audit_no_truncate")]

    operations = [migrations.RunPython(bound, migrations.RunPython.noop)]
