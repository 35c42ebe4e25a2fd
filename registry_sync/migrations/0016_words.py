"""Fields and models get the words of Django and OCI."""

from django.db import migrations, models


class Migration(migrations.Migration):
    contracts = True
    dependencies = [("registry_sync", "0015_purges"), ("namespaces", "0018_words"), ("accounts", "0012_words")]

    operations = [
        migrations.RemoveIndex("removal", "removal_taken"),
        migrations.RenameModel("Checkup", "DiagnosticRun"),
        migrations.RenameModel("Heartbeat", "Marker"),
        migrations.RenameModel("Death", "WorkerCrash"),
        migrations.RenameModel("Aside", "QuarantinedWork"),
        migrations.RenameField("diagnosticrun", "asked_by", "requested_by"),
        migrations.RenameField("diagnosticrun", "asked_at", "requested_at"),
        migrations.RenameField("purge", "asked_by", "requested_by"),
        migrations.RenameField("purge", "asked_by_id", "requested_by_id"),
        migrations.RenameField("purge", "asked_at", "requested_at"),
        migrations.RenameField("removal", "asked_by", "requested_by"),
        migrations.RenameField("removal", "asked_by_id", "requested_by_id"),
        migrations.RenameField("removal", "asked_at", "requested_at"),
        migrations.RenameField("retentionrun", "asked_by", "requested_by"),
        migrations.RenameField("retentionrun", "asked_by_id", "requested_by_id"),
        migrations.RenameField("syncrun", "asked_by", "requested_by"),
        migrations.RenameField("syncrun", "asked_at", "requested_at"),
        migrations.RenameField("purge", "marks", "cutoffs"),
        migrations.RenameField("removal", "taken_at", "last_attempt_at"),
        migrations.RenameField("removalitem", "seen", "expected_digest"),
        migrations.RenameField("removalitem", "told", "confirmed_dependents"),
        migrations.RenameField("removalitem", "begun_at", "started_at"),
        migrations.RenameField("removalitem", "stand_in", "placeholder_digest"),
        migrations.RenameField("repository", "held", "tags_needing_approval"),
        migrations.RenameField("repository", "looked_at", "last_viewed_at"),
        migrations.RenameField("retentionrule", "reading", "semantics"),
        migrations.RenameField("syncrun", "names_only", "quick"),
        migrations.RenameField("syncrun", "unread", "unreadable"),
        migrations.RenameField("syncrun", "held", "tags_needing_approval"),
        migrations.RenameField("syncrun", "may_vanish", "deletions_approved"),
        migrations.RenameField("shard", "death", "crash"),
        migrations.RenameField("drift", "back", "rolled_back"),
        migrations.RenameField("lease", "at_work", "current_work"),
        migrations.AddIndex("removal", models.Index(condition=~models.Q(last_attempt_at=None), fields=["last_attempt_at"], name="removal_attempted")),
        migrations.AlterField("syncrun", "state", models.CharField(choices=[("waiting", "Waiting"), ("running", "Running"), ("done", "Done"), ("incomplete", "Incomplete"), ("failed", "Failed"), ("held", "Needs approval")], default="waiting", max_length=10)),
    ]
