"""An image's tags, read so that 200,000 cost what twenty cost: each order is an index, and nothing counts them all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import RegistryUser
from namespaces.models import Image, Tag
from namespaces.wanted import SUBSTRING_MIN, Between, wanted

COLUMNS = {"name": "sort_key", "pushed": "pushed_at", "size": "size", "pulled": "pulled_at"}
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("", "-"))
NEWEST = "-pushed"
COUNTED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Count:
    """Exact up to COUNTED_MAX; from there on it says only that there are more."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`pusher`: the account's user behind `tag.pushed_by`, None when unknown or gone; `twin`: the name of
    another tag of the same list that points at the same manifest, "latest" before others, or ""."""

    tag: Tag
    pusher: RegistryUser | None
    twin: str


def tags_of(image: Image, *, search: str = "", sort: str = NEWEST, technical: bool = False) -> QuerySet[Tag]:
    """The tags a person made, or with `technical` those that tools made; `sort` is one of SORTS.

    The two are read apart, because each is its own stretch of every index.
    """
    sign, column = ("-" if sort.startswith("-") else ""), COLUMNS[sort.removeprefix("-")]
    # A manifest's layers and body are many times the rest of it, and no list shows them.
    found = matching(image, search).select_related("manifest").defer("manifest__details", "manifest__packed")
    return found.filter(technical=technical).order_by(f"{sign}{column}", f"{sign}id")


def matching(image: Image, search: str) -> QuerySet[Tag]:
    """Of both kinds, in no order."""
    found, asked = Tag.objects.filter(image_id=image.pk), wanted(search)
    if asked.digest and asked.text:
        return found.filter(_has_text(image, asked.text) | in_digests(asked.digest))
    if asked.digest:
        return found.filter(in_digests(asked.digest))
    return found.filter(_has_text(image, asked.text)) if asked else found


def in_digests(digest: Between) -> Q:
    return Q(manifest_id__gte=digest.first, manifest_id__lt=digest.end)


def _has_text(image: Image, text: str) -> Q:
    matches = Q(name__icontains=text) if len(text) >= SUBSTRING_MIN else Q(name__istartswith=text)
    if connection.vendor != "sqlite":
        return matches
    # SQLite has no index for a piece of a name. Asked so, it reads names from the index that holds nothing
    # else; asked plainly, it fetches each of the image's rows.
    return Q(pk__in=Tag.objects.filter(matches, image_id=image.pk).values("pk"))


def count(tags: QuerySet[Tag]) -> Count:
    number = tags.order_by()[: COUNTED_MAX + 1].count()
    return Count(min(number, COUNTED_MAX), more=number > COUNTED_MAX)


def lines_of(image: Image, tags: Sequence[Tag]) -> list[Line]:
    users = _pushers(image, {tag.pushed_by for tag in tags} - {""})
    by_digest = defaultdict(list)
    for tag in tags:
        tag.image = image  # or each would ask for it, to write its address
        by_digest[tag.manifest_id].append(tag)
    return [Line(tag, users.get(tag.pushed_by), _twin(tag, by_digest[tag.manifest_id])) for tag in tags]


def _pushers(image: Image, names: set[str]) -> dict[str, RegistryUser]:
    if not names:
        return {}
    users = RegistryUser.objects.filter(account_id=image.namespace.account_id, username__in=names)
    return {user.username: user for user in users.select_related("account")}


def _twin(tag: Tag, same: list[Tag]) -> str:
    others = [each.name for each in same if each.pk != tag.pk]
    return "latest" if "latest" in others else next(iter(others), "")
