"""An entry of an index that does not say its platform has that of its image's config, also where an earlier release read
both."""

from typing import Any

from django.db import migrations
from django.db.models import TextField
from django.db.models.functions import Cast

BATCH = 500


def tell(apps: Any, _editor: Any) -> None:
    manifests = apps.get_model("namespaces", "Manifest").objects
    indexes = manifests.filter(kind="index").annotate(told=Cast("platforms", TextField()))
    mended = []
    for index in indexes.filter(told__contains='"platform": ""').only("platforms").iterator(BATCH):
        without = [entry["digest"] for entry in index.platforms if not entry["platform"]]
        images = manifests.filter(digest__in=without[:BATCH], kind="image").values_list("digest", "platforms")
        known = {digest: listed[0]["platform"] for digest, listed in images if listed}
        if known:
            index.platforms = [
                entry | {"platform": entry["platform"] or known.get(entry["digest"], "")}
                for entry in index.platforms
            ]
            mended.append(index)
    manifests.bulk_update(mended, ["platforms"], BATCH)


class Migration(migrations.Migration):
    dependencies = [("namespaces", "0015_whole_in_each_image")]

    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
