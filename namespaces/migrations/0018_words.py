"""Fields and models get the words of Django and OCI."""

from django.db import migrations, models


class Migration(migrations.Migration):
    contracts = True
    dependencies = [("namespaces", "0017_models_are_no_images")]

    operations = [
        migrations.RemoveIndex("image", "image_by_move"),
        migrations.RemoveIndex("label", "label_by_start"),
        migrations.RenameField("grant", "given_at", "created_at"),
        migrations.RenameField("image", "octets", "stored_bytes"),
        migrations.RenameField("namespace", "octets", "stored_bytes"),
        migrations.RenameField("usage", "octets", "stored_bytes"),
        migrations.RenameField("image", "untagged", "untagged_count"),
        migrations.RenameField("image", "last_move", "newest_history_id"),
        migrations.RenameField("manifest", "packed", "body_zlib"),
        migrations.RenameField("manifest", "whole", "complete"),
        migrations.RenameField("tag", "unread_since", "unreadable_since"),
        migrations.RenameField("catalogread", "began_at", "started_at"),
        migrations.RenameField("label", "start", "value_prefix"),
        migrations.RemoveConstraint("revision", "revision_once"),
        migrations.RemoveConstraint("part", "part_once"),
        migrations.RenameModel("TagMove", "TagHistoryEntry"),
        migrations.RenameModel("Revision", "RepositoryManifest"),
        migrations.RenameModel("Pull", "PullStats"),
        migrations.RenameModel("Part", "Descriptor"),
        migrations.AddConstraint("repositorymanifest", models.UniqueConstraint(fields=["image", "manifest"], name="repository_manifest_once")),
        migrations.AddConstraint("descriptor", models.UniqueConstraint(fields=["manifest", "digest"], name="descriptor_once")),
        migrations.RenameIndex("repositorymanifest", new_name="repository_manifest_by_digest", old_name="revision_of_manifest"),
        migrations.RenameIndex("repositorymanifest", new_name="repository_manifest_due", old_name="revision_due"),
        migrations.RenameIndex("taghistoryentry", new_name="history_by_image", old_name="move_by_image"),
        migrations.RenameIndex("taghistoryentry", new_name="history_by_moment", old_name="move_by_moment"),
        migrations.RenameIndex("taghistoryentry", new_name="history_by_tag_moment", old_name="move_by_tag_moment"),
        migrations.RenameIndex("descriptor", new_name="descriptor_by_digest", old_name="part_by_digest"),
        migrations.RenameIndex("manifest", new_name="manifest_unknown", old_name="manifest_unread"),
        migrations.RunSQL("ALTER TABLE namespaces_manifest DROP COLUMN due_at"),
        migrations.AlterField("descriptor", "manifest", models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="descriptors", to="namespaces.manifest")),
        migrations.AlterField("pullstats", "image", models.ForeignKey(on_delete=models.CASCADE, related_name="pull_stats", to="namespaces.image")),
        migrations.AlterField("repositorymanifest", "image", models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="repository_manifests", to="namespaces.image")),
        migrations.AlterField("repositorymanifest", "manifest", models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name="repository_manifests", to="namespaces.manifest")),
        migrations.AlterField("reservedname", "account", models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name="reserved_names", to="accounts.account")),
        migrations.AlterField("taghistoryentry", "image", models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="tag_history", to="namespaces.image")),
        migrations.AddIndex("image", models.Index(fields=["namespace", "-newest_history_id"], name="image_by_history")),
        migrations.AddIndex("label", models.Index(fields=["value_prefix", "manifest"], name="label_by_prefix")),
    ]
