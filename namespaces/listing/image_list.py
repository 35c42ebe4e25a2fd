"""Rows of a list of images: each with its newest tag and who pushed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.common.prepared_queries import prepared
from accounts.models import Account
from namespaces.listing.listed_tag import ListedTag, listed
from namespaces.listing.restored_by import restored_by
from namespaces.models import Image, Tag


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the list. `tag`: the newest, None if the image has none; `restored_by`: who restored it, or ""."""

    image: Image
    tag: ListedTag | None
    restored_by: str


def image_rows(account: Account, images: Sequence[Image]) -> list[ImageRow]:
    """Return a row for each of the account's `images`."""
    newest = _newest_tags(images=[image.pk for image in images], account=account.pk)
    restorers, tags = restored_by(newest), {tag.image_id: tag for tag in newest}
    return [
        ImageRow(image, tag, restorers.get(tag.id, ""))
        if (tag := tags.get(image.pk))
        else ImageRow(image, None, "")
        for image in images
    ]


@prepared
def _newest_tags(*, images: list[int], account: int) -> QuerySet[Tag, Any]:
    # One look into an index for each image: a join, PostgreSQL begins at all images that there are.
    newest = Tag.objects.filter(image=OuterRef("pk"), name=OuterRef("latest_tag")).order_by()
    shown = Image.objects.filter(pk__in=images).order_by()
    ids = shown.values_list(Subquery(newest.values("pk")))
    return listed(Tag.objects.filter(pk__in=ids).order_by(), account=account)
