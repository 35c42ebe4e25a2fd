"""Rows of a list of images: each with its newest tag and who pushed it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from accounts.models import Account, RegistryUser
from namespaces.listing.restored_by import restored_by
from namespaces.manifests.pull_stats import users_by_name
from namespaces.models import Image, Tag


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the list.

    `tag`: the newest, None if the image has none; `pusher`: the account's user who pushed it, None if unknown;
    `restored_by`: the person who restored it, or "".
    """

    image: Image
    tag: Tag | None
    pusher: RegistryUser | None
    restored_by: str


def image_rows(account: Account, images: Sequence[Image]) -> list[ImageRow]:
    tags = {tag.image_id: tag for tag in _newest_tags(images)}
    users = users_by_name(account, {tag.pushed_by for tag in tags.values()} - {""})
    restorers = restored_by(list(tags.values()))
    return [_image_row(image, tags.get(image.pk), users, restorers) for image in images]


def _image_row(
    image: Image, tag: Tag | None, users: dict[str, RegistryUser], restorers: dict[int, str]
) -> ImageRow:
    return (
        ImageRow(image, tag, users.get(tag.pushed_by), restorers.get(tag.pk, ""))
        if tag
        else ImageRow(image, None, None, "")
    )


def _newest_tags(images: Sequence[Image]) -> list[Tag]:
    # One look into an index for each image: a join, PostgreSQL begins at all images that there are.
    newest = Tag.objects.filter(image=OuterRef("pk"), name=OuterRef("latest_tag")).order_by()
    shown = Image.objects.filter(pk__in=[image.pk for image in images]).order_by()
    ids = shown.values_list(Subquery(newest.values("pk")))
    found = Tag.objects.filter(pk__in=ids).order_by()
    return list(found.select_related("manifest").defer("manifest__details", "manifest__body_zlib"))
