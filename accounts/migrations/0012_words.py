"""Fields and models get the words of Django and OCI."""

from django.db import migrations, models


class Migration(migrations.Migration):
    contracts = True
    dependencies = [("accounts", "0011_denial_sources")]

    operations = [
        migrations.RenameField("auditseal", "upto", "last_event_id"),
        migrations.RenameField("auditseal", "events", "event_count"),
        migrations.RenameField("outgoingmail", "sealed", "encrypted"),
        migrations.RenameField("invitation", "maker", "inviter"),
        migrations.RemoveConstraint("dropped", "dropped_once"),
        migrations.RenameModel("Dropped", "DropCounter"),
        migrations.AddConstraint("dropcounter", models.UniqueConstraint(fields=["kind", "username"], name="drop_counter_once")),
    ]
