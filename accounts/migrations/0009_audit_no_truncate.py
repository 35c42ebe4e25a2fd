"""PostgreSQL empties a table with TRUNCATE past triggers of rows; SQLite has nothing like it."""

from django.db import migrations

TABLES = ("accounts_auditevent", "accounts_auditseal")


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"DROP TRIGGER audit_no_truncate ON {table}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_known_givers")]
    operations = [migrations.RunPython(make, drop)]
