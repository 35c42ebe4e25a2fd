"""The list of an image's tags. Each order is an index and nothing counts all rows, so 200,000 cost what 20 cost."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.common.pagination import Page, paginate, paginate_prepared
from accounts.common.prepared_queries import prepared
from namespaces.listing.listed_tag import ListedTag, listed
from namespaces.listing.restored_by import restored_by
from namespaces.models import Image, Tag
from namespaces.search_query import SUBSTRING_MIN, PrefixRange, parse_query

COLUMNS = {"name": "sort_key", "pushed": "pushed_at", "size": "size", "pulled": "pulled_at"}
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("", "-"))
NEWEST = "-pushed"
# `IN` as in `TagMatches._rows`. Of every page, and written by Django it takes ten times as long.
_COUNT_TECHNICAL = """SELECT COUNT(*) FROM (
  SELECT 1 FROM namespaces_tag WHERE image_id = %s AND technical IN (%s) LIMIT %s) AS found"""


@dataclass(frozen=True, slots=True)
class Count:
    """`more`: there are more than `number`; the rest was not counted."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of the list.

    `restored_by`: the person who restored it, or ""; `same_manifest_tag`: another tag of the list that points at the
    same manifest, preferably "latest", or "".
    """

    tag: ListedTag
    restored_by: str
    same_manifest_tag: str


@dataclass(frozen=True, slots=True)
class TagMatches:
    """The tags of an image that match a filter. `ids` is None if more than TAGS_COUNTED_MAX match.

    A few are fetched by id and sorted; of many, the index of the order is walked until a page is full.
    """

    image: Image
    condition: Q | None
    ids: list[int] | None

    def tags(self, *, sort: str = NEWEST, technical: bool = False) -> QuerySet[Tag]:
        """Return the matches sorted by `sort`, one of SORTS: technical tags or the others.

        The two are read separately, because each is its own range of every index.
        """
        sign, column = ("-" if sort.startswith("-") else ""), COLUMNS[sort.removeprefix("-")]
        rows = self._rows(technical)
        if (
            column == COLUMNS["name"]
            and self.condition
            and self.ids is None
            and connection.vendor == "sqlite"
        ):
            # What begins with "z" may come last, after rows from all over the table: an index of names knows it first.
            fitting = Tag.objects.filter(self.condition, image_id=self.image.pk).order_by()
            rows = rows.filter(pk__in=fitting.values("pk"))
        # Details and body are most of a manifest, and no list shows them.
        found = rows.select_related("manifest").defer("manifest__details", "manifest__body_zlib")
        return found.order_by(f"{sign}{column}", f"{sign}id")

    def count(self) -> Count:
        """Count matches, technical ones included only with a filter. No statement."""
        if self.condition is None:
            return Count(self.image.tag_count)
        return Count(settings.TAGS_COUNTED_MAX, more=True) if self.ids is None else Count(len(self.ids))

    def count_technical(self) -> Count:
        most = settings.TAGS_COUNTED_MAX + 1
        if self.condition is None:
            with connection.cursor() as cursor:
                cursor.execute(_COUNT_TECHNICAL, [self.image.pk, True, most])
                number = cursor.fetchone()[0]
        else:
            number = self._rows(technical=True)[:most].count() if self.ids != [] else 0
        return Count(min(number, settings.TAGS_COUNTED_MAX), more=number > settings.TAGS_COUNTED_MAX)

    def _rows(self, technical: bool) -> QuerySet[Tag]:
        # `IN` and not `=`: SQLite does not see that `NOT technical`, as it would be written, is in the index.
        rows = Tag.objects.filter(technical__in=[technical]).order_by()
        if self.ids is not None:
            return rows.filter(pk__in=self.ids)  # without the image, or a database may walk all of its tags
        rows = rows.filter(image_id=self.image.pk)
        return rows.filter(self.condition) if self.condition else rows


def find_tags(image: Image, search: str = "") -> TagMatches:
    """Find the tags that match `search`. At most one statement, for ids alone, which one small index answers."""
    query, tags = parse_query(search), Tag.objects.filter(image_id=image.pk).order_by()
    conditions = [_has_text(query.text)] if query.text else []
    if query.digest:
        conditions.append(digest_in(query.digest))
    if not conditions:
        return TagMatches(image, None, None)
    first, *other = [tags.filter(condition).values_list("pk", flat=True) for condition in conditions]
    ids = list(
        first.union(*other)[: settings.TAGS_COUNTED_MAX + 1]
        if other
        else first[: settings.TAGS_COUNTED_MAX + 1]
    )
    condition = conditions[0] | conditions[1] if other else conditions[0]
    return TagMatches(image, condition, ids if len(ids) <= settings.TAGS_COUNTED_MAX else None)


def digest_in(digest: PrefixRange) -> Q:
    return Q(manifest_id__gte=digest.first, manifest_id__lt=digest.end)


def _has_text(text: str) -> Q:
    return Q(name__icontains=text) if len(text) >= SUBSTRING_MIN else Q(name__istartswith=text)


def tag_page(
    found: TagMatches, *, sort: str, technical: bool, cursor: str, query: dict[str, str]
) -> Page[ListedTag]:
    """Return a page of the matches, the `technical` ones included or not. Raise Invalid on "page"."""
    account = found.image.namespace.account_id
    if found.condition is None and not technical:
        return paginate_prepared(
            _tags_of_image, sort, cursor=cursor, query=query, image=found.image.pk, account=account
        )
    halves = (False, True) if technical else (False,)
    rows = [listed(found.tags(sort=sort, technical=half), account=account) for half in halves]
    return paginate(*rows, cursor=cursor, query=query)


@prepared
def _tags_of_image(sort: str, *, image: int, account: int) -> QuerySet[Tag, Any]:
    return listed(TagMatches(Image(pk=image), None, None).tags(sort=sort), account=account)


def tag_rows(tags: Sequence[ListedTag]) -> list[TagRow]:
    restorers = restored_by(tags)
    by_digest = defaultdict(list)
    for tag in tags:
        by_digest[tag.manifest_id].append(tag)
    return [
        TagRow(tag, restorers.get(tag.id, ""), _same_manifest_tag(tag, by_digest[tag.manifest_id]))
        for tag in tags
    ]


def _same_manifest_tag(tag: ListedTag, same: list[ListedTag]) -> str:
    others = [each.name for each in same if each.id != tag.id]
    return "latest" if "latest" in others else next(iter(others), "")
