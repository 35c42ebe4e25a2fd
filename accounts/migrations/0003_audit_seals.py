"""Seals over the audit trail, append-only in the database too."""

import django.utils.timezone
from django.db import migrations, models

_POSTGRESQL = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditseal
FOR EACH ROW EXECUTE FUNCTION audit_append_only()
"""
_SQLITE = """
CREATE TRIGGER audit_seal_no_{verb} BEFORE {verb} ON accounts_auditseal
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL)
    else:
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(_SQLITE.format(verb=verb))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_append_only")]
    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("upto", models.BigIntegerField(unique=True)),
                ("events", models.IntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("pepper_version", models.IntegerField()),
            ],
            options={"ordering": ["id"]},
        ),
        # Backwards the table goes, and its triggers with it.
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
