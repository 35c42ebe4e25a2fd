"""What a list of images shows beside each: its newest tag's platforms, and who pushed it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from accounts.models import Account, RegistryUser
from namespaces.listing.restored_by import put_back_by
from namespaces.manifests.pull_stats import users_by_name
from namespaces.models import Image, Tag


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list.

    `tag`: the newest, None when no tag of that name is known; `pusher`: the account's user who pushed it;
    `put_back_by`: the person who had it come back, or "".
    """

    image: Image
    tag: Tag | None
    pusher: RegistryUser | None
    put_back_by: str


def lines_of(account: Account, images: Sequence[Image]) -> list[Line]:
    tags = {tag.image_id: tag for tag in _newest(images)}
    users = users_by_name(account, {tag.pushed_by for tag in tags.values()} - {""})
    back = put_back_by(list(tags.values()))
    return [_line(image, tags.get(image.pk), users, back) for image in images]


def _line(image: Image, tag: Tag | None, users: dict[str, RegistryUser], back: dict[int, str]) -> Line:
    return (
        Line(image, tag, users.get(tag.pushed_by), back.get(tag.pk, ""))
        if tag
        else Line(image, None, None, "")
    )


def _newest(images: Sequence[Image]) -> list[Tag]:
    found = Tag.objects.filter(image__in=[image.pk for image in images], name=F("image__latest_tag"))
    return list(found.select_related("manifest").defer("manifest__details", "manifest__body_zlib"))
