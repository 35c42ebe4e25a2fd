"""Tags and manifests are read from the registry anew, with all that the next migration makes room for."""

from django.db import migrations


def forget(apps, schema_editor):
    for model in ("Tag", "Manifest"):
        apps.get_model("namespaces", model).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0001_initial")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
