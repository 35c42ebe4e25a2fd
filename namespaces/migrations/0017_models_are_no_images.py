"""What only borrows an image's config was taken for an image: AI models of Ollama, applications of Spin."""

from django.db import migrations

TYPES = ("application/vnd.ollama.", "application/vnd.fermyon.spin.", "application/vnd.wasm.")


def rename(apps, schema_editor):
    manifests = apps.get_model("namespaces", "Manifest").objects
    for start in TYPES:
        found = manifests.filter(kind="image", details__layers__0__media_type__startswith=start)
        for row in found.only("digest", "details").iterator():
            kind = row.details["layers"][0]["media_type"]
            manifests.filter(pk=row.pk).update(kind="artifact", artifact_type=kind, platforms=[])


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0016_platforms_of_configs")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
