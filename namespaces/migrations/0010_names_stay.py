"""A name stays its account's: `only_account_id` becomes a key to it, each name that has or had a namespace gets its
row, and there is a place for when the registry's list of repositories was read."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models

BATCH = 500
TOKENS = timedelta(seconds=3600 + 120)  # the longest that one may live, and what the registry adds


def reserve(apps, schema_editor):
    ReservedName = apps.get_model("namespaces", "ReservedName")
    Namespace = apps.get_model("namespaces", "Namespace")
    AuditEvent = apps.get_model("accounts", "AuditEvent")
    rows = {}
    deleted = AuditEvent.objects.filter(action="namespace.deleted").exclude(account_id=None).order_by("id")
    for name, account, at in deleted.values_list("object", "account_id", "at").iterator():
        rows[name] = ReservedName(name=name, account_id=account, until=at + TOKENS)
    for name, account in Namespace.objects.values_list("name", "account_id").iterator():
        rows[name] = ReservedName(name=name, account_id=account)
    for known in ReservedName.objects.filter(account=None):
        # One without an end the registry held before anybody: that is for an operator, but for a live namespace.
        ours = rows.get(known.name)
        if ours and (known.until or not ours.until):
            known.account_id = ours.account_id
            known.save(update_fields=["account"])
    ReservedName.objects.bulk_create(rows.values(), BATCH, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0009_last_move"), ("accounts", "0002_audit_append_only")]

    operations = [
        migrations.CreateModel(
            name="CatalogRead",
            fields=[
                ("registry", models.CharField(max_length=500, primary_key=True, serialize=False)),
                ("began_at", models.DateTimeField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField("reservedname", "only_account_id"),
                migrations.AddField(
                    "reservedname",
                    "account",
                    models.ForeignKey(
                        db_column="only_account_id", db_constraint=False, db_index=False, null=True,
                        on_delete=django.db.models.deletion.PROTECT, related_name="reserved_names",
                        to="accounts.account",
                    ),  # fmt: skip
                ),
            ],
        ),
        migrations.RunPython(reserve, migrations.RunPython.noop),
    ]
