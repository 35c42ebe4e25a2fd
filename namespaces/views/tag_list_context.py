"""What the list of an image's tags shows: one page of rows, how many match, and the links that sort it."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.views.column_sort import column_sorts, list_url, sort_options
from namespaces.listing import pg_plans, tag_list
from namespaces.listing.tag_list import NEWEST, SORTS, Count
from namespaces.models import Image

# Which way a column is sorted when it is chosen first, and what its two ways are called.
_FIRST_SORT = {"name": "name", "size": "-size", "pushed": "-pushed", "pulled": "-pulled"}
_SORT_TEXTS: dict[str, Promise] = {
    "name": gettext_lazy("Name, A to Z"),
    "-name": gettext_lazy("Name, Z to A"),
    "-size": gettext_lazy("Largest first"),
    "size": gettext_lazy("Smallest first"),
    "-pushed": gettext_lazy("Newest first"),
    "pushed": gettext_lazy("Oldest first"),
    "-pulled": gettext_lazy("Last pulled first"),
    "pulled": gettext_lazy("Never pulled first"),
}


def tag_list_context(image: Image, asked: QueryDict) -> dict[str, Any]:
    """At most four statements, whatever is asked of however many tags. A strange `sort` is the usual one."""
    search, sort = asked.get("q", "").strip()[:200], asked.get("sort", "")
    sort = sort if sort in SORTS else NEWEST
    technical = bool(asked.get("technical"))
    query = {"q": search, "sort": "" if sort == NEWEST else sort, "technical": "1" if technical else ""}
    with pg_plans.by_value(search):
        found = tag_list.find_tags(image, search)
        page = tag_list.tag_page(
            found, sort=sort, technical=technical, cursor=asked.get("page", ""), query=query
        )
        rows = tag_list.tag_rows(page.rows)
        count, technical_count = found.count(), Count(0) if technical else found.count_technical()
    return {
        "query": query,
        "page": page,
        "rows": rows,
        "columns": column_sorts(_FIRST_SORT, sort, query, usual=NEWEST),
        "sorts": sort_options(_SORT_TEXTS, sort, NEWEST),
        "count_words": _count(count, filtered=bool(search)),
        "technical_words": _technical(technical_count),
        "technical_url": list_url(query | {"technical": "" if technical else "1"}),
    }


def _count(count: Count, *, filtered: bool) -> str:
    number = {"n": intcomma(count.number)}
    if count.more:
        return _("More than %(n)s tags match") % number
    if filtered:
        return ngettext("%(n)s tag matches", "%(n)s tags match", count.number) % number
    return ngettext("%(n)s tag", "%(n)s tags", count.number) % number


def _technical(count: Count) -> str:
    if count.more:
        return _("Show more than %(n)s technical tags") % {"n": intcomma(count.number)}
    if not count.number:
        return ""
    words = ngettext("Show %(n)s technical tag", "Show %(n)s technical tags", count.number)
    return words % {"n": count.number}
