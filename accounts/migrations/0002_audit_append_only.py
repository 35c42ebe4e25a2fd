"""The audit trail is append-only in the database too: an update or delete of a row fails."""

from django.db import migrations

# One command each: a server-side prepared statement holds no more.
_POSTGRESQL = (
    """
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
""",
    """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION audit_append_only()
""",
)
_POSTGRESQL_BACK = ("DROP TRIGGER audit_append_only ON accounts_auditevent", "DROP FUNCTION audit_append_only()")
_SQLITE = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON accounts_auditevent
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for command in _POSTGRESQL:
            schema_editor.execute(command)
    else:
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(_SQLITE.format(verb=verb))


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for command in _POSTGRESQL_BACK:
            schema_editor.execute(command)
    else:
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(f"DROP TRIGGER audit_no_{verb}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(make, drop)]
