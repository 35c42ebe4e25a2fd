"""An image's tags, read so that 200,000 cost what twenty cost: each order is an index, and nothing counts them all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import RegistryUser
from namespaces.listing.restored_by import put_back_by
from namespaces.manifests.pull_stats import users_by_name
from namespaces.models import Image, Tag
from namespaces.search_query import SUBSTRING_MIN, Between, wanted

COLUMNS = {"name": "sort_key", "pushed": "pushed_at", "size": "size", "pulled": "pulled_at"}
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("", "-"))
NEWEST = "-pushed"


@dataclass(frozen=True, slots=True)
class Count:
    """`more`: there are more than `number`, and nobody counted how many."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list.

    `pusher`: the account's user behind `tag.pushed_by`, None when unknown or gone; `put_back_by`: the person who
    had it come back, or ""; `twin`: the name of another tag of the same list that points at the same manifest,
    "latest" before others, or "".
    """

    tag: Tag
    pusher: RegistryUser | None
    put_back_by: str
    twin: str


@dataclass(frozen=True, slots=True)
class Found:
    """The tags of an image that a filter leaves. `few`: their ids, unless they are more than TAGS_COUNTED_MAX.

    A few are fetched and sorted; of many, an order's own index is walked until a page is full.
    """

    image: Image
    condition: Q | None
    few: list[int] | None

    def tags(self, *, sort: str = NEWEST, technical: bool = False) -> QuerySet[Tag]:
        """Return the tags that persons made, or with `technical` those that tools made; `sort` is one of SORTS.

        The two are read apart, because each is its own stretch of every index.
        """
        sign, column = ("-" if sort.startswith("-") else ""), COLUMNS[sort.removeprefix("-")]
        # A manifest's layers and body are many times the rest of it, and no list shows them.
        found = (
            self._rows(technical).select_related("manifest").defer("manifest__details", "manifest__body_zlib")
        )
        return found.order_by(f"{sign}{column}", f"{sign}id")

    def count(self) -> Count:
        """Of both kinds. No statement; without a filter the image knows, and counts no technical ones."""
        if self.condition is None:
            return Count(self.image.tag_count)
        return Count(settings.TAGS_COUNTED_MAX, more=True) if self.few is None else Count(len(self.few))

    def count_technical(self) -> Count:
        number = self._rows(technical=True)[: settings.TAGS_COUNTED_MAX + 1].count() if self.few != [] else 0
        return Count(min(number, settings.TAGS_COUNTED_MAX), more=number > settings.TAGS_COUNTED_MAX)

    def _rows(self, technical: bool) -> QuerySet[Tag]:
        # `IN` and not `=`: SQLite does not see that `NOT technical`, as it would be written, is in the index.
        rows = Tag.objects.filter(technical__in=[technical]).order_by()
        if self.few is not None:
            return rows.filter(pk__in=self.few)  # without the image, or a database may walk all of its tags
        rows = rows.filter(image_id=self.image.pk)
        if self.condition is None:
            return rows
        if connection.vendor != "sqlite":
            return rows.filter(self.condition)
        # SQLite would fetch each row it walks past to see its name: here it reads the names from one index.
        fitting = Tag.objects.filter(self.condition, image_id=self.image.pk)
        return rows.filter(pk__in=fitting.order_by().values("pk"))


def find(image: Image, search: str = "") -> Found:
    """At most one statement. It asks for nothing but ids, because one small index can answer that."""
    asked, tags = wanted(search), Tag.objects.filter(image_id=image.pk).order_by()
    conditions = [_has_text(asked.text)] if asked.text else []
    if asked.digest:
        conditions.append(in_digests(asked.digest))
    if not conditions:
        return Found(image, None, None)
    first, *other = [tags.filter(condition).values_list("pk", flat=True) for condition in conditions]
    few = list(
        first.union(*other)[: settings.TAGS_COUNTED_MAX + 1]
        if other
        else first[: settings.TAGS_COUNTED_MAX + 1]
    )
    condition = conditions[0] | conditions[1] if other else conditions[0]
    return Found(image, condition, few if len(few) <= settings.TAGS_COUNTED_MAX else None)


def in_digests(digest: Between) -> Q:
    return Q(manifest_id__gte=digest.first, manifest_id__lt=digest.end)


def _has_text(text: str) -> Q:
    return Q(name__icontains=text) if len(text) >= SUBSTRING_MIN else Q(name__istartswith=text)


def lines_of(image: Image, tags: Sequence[Tag]) -> list[Line]:
    users = users_by_name(image.namespace.account, {tag.pushed_by for tag in tags} - {""})
    back = put_back_by(tags)
    by_digest = defaultdict(list)
    for tag in tags:
        tag.image = image  # or each would ask for it, to write its address
        by_digest[tag.manifest_id].append(tag)
    return [
        Line(tag, users.get(tag.pushed_by), back.get(tag.pk, ""), _twin(tag, by_digest[tag.manifest_id]))
        for tag in tags
    ]


def _twin(tag: Tag, same: list[Tag]) -> str:
    others = [each.name for each in same if each.pk != tag.pk]
    return "latest" if "latest" in others else next(iter(others), "")
