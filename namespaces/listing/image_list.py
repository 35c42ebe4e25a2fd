"""Rows of a list of images: each with its newest tag and who pushed it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from namespaces.listing.restored_by import restored_by
from namespaces.manifests.pull_stats import pusher_description
from namespaces.models import Image, Tag


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the list.

    `tag`: the newest, None if the image has none; `pusher`: the description of the account's user who pushed it, None
    if unknown; `restored_by`: the person who restored it, or "".
    """

    image: Image
    tag: Tag | None
    pusher: str | None
    restored_by: str


def image_rows(images: Sequence[Image]) -> list[ImageRow]:
    tags = {tag.image_id: tag for tag in _newest_tags(images)}
    restorers = restored_by(list(tags.values()))
    return [
        ImageRow(image, tag, tag.pusher, restorers.get(tag.pk, ""))
        if (tag := tags.get(image.pk))
        else ImageRow(image, None, None, "")
        for image in images
    ]


def _newest_tags(images: Sequence[Image]) -> list[Tag]:
    # One look into an index for each image: a join, PostgreSQL begins at all images that there are.
    newest = Tag.objects.filter(image=OuterRef("pk"), name=OuterRef("latest_tag")).order_by()
    shown = Image.objects.filter(pk__in=[image.pk for image in images]).order_by()
    ids = shown.values_list(Subquery(newest.values("pk")))
    found = Tag.objects.filter(pk__in=ids).order_by()
    found = found.annotate(pusher=pusher_description())  # type: ignore[no-redef]
    return list(found.select_related("manifest").defer("manifest__details", "manifest__body_zlib"))
