"""Rows of a list of images: each with its newest tag and who pushed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.common.pagination import Page, paginate, paginate_prepared
from accounts.common.prepared_queries import Prepared, prepared
from accounts.models import Account
from namespaces import selectors
from namespaces.listing.listed_tag import ListedTag, listed
from namespaces.listing.restored_by import restored_by
from namespaces.models import Image, Namespace, Tag


class ListedImage(Protocol):
    """What a row needs of an image and its namespace."""

    id: int
    name: str
    namespace__name: str
    latest_tag: str
    tag_count: int
    size: int
    pushed_at: datetime | None
    own_description: str
    pushed_description: str


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the list. `tag`: the newest, None if the image has none; `restored_by`: who restored it, or ""."""

    image: ListedImage
    tag: ListedTag | None
    restored_by: str

    @property
    def repository(self) -> str:
        return f"{self.image.namespace__name}/{self.image.name}"

    @property
    def description(self) -> str:
        return self.image.own_description or self.image.pushed_description


def image_page(
    account: Account, *, namespace: Namespace | None = None, search: str, cursor: str
) -> Page[ListedImage]:
    """Return a page of the account's images, or of one namespace's. Raise Invalid on "page"."""
    query = {"q": search}
    if search:
        return paginate(_images(account, namespace, search), cursor=cursor, query=query)
    within = {"namespace": namespace.pk} if namespace else {}
    return paginate_prepared(_all_images, cursor=cursor, query=query, account=account.pk, **within)


def _images(account: Any, namespace: Any = None, search: str = "") -> QuerySet[Image, Any]:
    found = selectors.images_of(account, namespace=namespace, search=search)
    columns = "id name namespace__name latest_tag tag_count size pushed_at own_description pushed_description"
    return found.values_list(*columns.split(), named=True)


_all_images: Prepared[..., Any] = prepared(_images)


def image_rows(account: Account, images: Sequence[ListedImage]) -> list[ImageRow]:
    """Return a row for each of the account's `images`."""
    newest = _newest_tags(images=[image.id for image in images], account=account.pk)
    restorers, tags = restored_by(newest), {tag.image_id: tag for tag in newest}
    return [
        ImageRow(image, tag, restorers.get(tag.id, ""))
        if (tag := tags.get(image.id))
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
