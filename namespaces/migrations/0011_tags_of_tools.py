"""All that tools make of a digest is no version: such tags are marked, and their images counted anew."""

import re
from importlib import import_module

from django.db import migrations, models, transaction
from django.db.models import Q

import namespaces.models.derived

AddIndexBeside = import_module("namespaces.migrations.0008_fewer_indexes").AddIndexBeside
AddFieldOnce = import_module("namespaces.migrations.0009_last_move").AddFieldOnce
BATCH = 500
STEM = r"(?:sha256|sha384|sha512|blake3)-[0-9a-f]{64}"
TOOLS = re.compile(rf"({STEM}).*|.*({STEM})[0-9a-f]*\.(?:sig|att|sbom)")
PARTS = ("sha256-", "sha384-", "sha512-", "blake3-")


def mark(apps, schema_editor):
    Tag = apps.get_model("namespaces", "Tag")
    named = Q()
    for part in PARTS:
        named |= Q(name__contains=part)
    counted, batch = set(), []
    for tag in Tag.objects.filter(named, stem="").only("name", "image_id", "technical").iterator(BATCH):
        if match := TOOLS.fullmatch(tag.name):
            if not tag.technical:
                counted.add(tag.image_id)
            tag.stem, tag.technical = match[1] or match[2], True
            batch.append(tag)
    with transaction.atomic():  # what is marked is not found again
        Tag.objects.bulk_update(batch, ["stem", "technical"], BATCH)
        count(apps, counted)


def count(apps, images):
    """As registry_sync.picture.write does."""
    Image, Tag = apps.get_model("namespaces", "Image"), apps.get_model("namespaces", "Tag")
    for pk in sorted(images):
        versions = Tag.objects.filter(image=pk, technical=False)
        newest = versions.order_by("-pushed_at", "-id").first()
        told = {"latest_tag": newest.name, "size": newest.size, "pushed_at": newest.pushed_at} if newest else {}
        empty = {"latest_tag": "", "size": 0}
        Image.objects.filter(pk=pk).update(tag_count=versions.count(), **(told or empty))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("namespaces", "0010_names_stay")]

    operations = [
        AddFieldOnce(
            "tag",
            "stem",
            namespaces.models.derived.Stem(db_default="", default="", editable=False, max_length=80),
        ),
        AddIndexBeside(
            "tag", models.Index(fields=["image", "stem"], name="tag_by_stem", condition=models.Q(technical=True))
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
