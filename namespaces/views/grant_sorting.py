"""The headers and the selection that sort a list of permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.views.column_sort import column_sorts, sort_options

# Which way a column is sorted when it is chosen first, and what its two ways are called.
_FIRST_SORT = {
    "user": "user",
    "on": "on",
    "level": "-level",
    "through": "-through",
    "ends": "ends",
    "used": "-used",
    "granted": "-granted",
}
_TEXTS: dict[str, Promise] = {
    "user": gettext_lazy("User, A to Z"),
    "-user": gettext_lazy("User, Z to A"),
    "on": gettext_lazy("Whole namespace first"),
    "-on": gettext_lazy("Whole namespace last"),
    "-level": gettext_lazy("Highest level first"),
    "level": gettext_lazy("Lowest level first"),
    "-through": gettext_lazy("Permissions on this image first"),
    "through": gettext_lazy("Permissions on this image last"),
    "ends": gettext_lazy("Soonest end first"),
    "-ends": gettext_lazy("Latest end first"),
    "-used": gettext_lazy("Last used first"),
    "used": gettext_lazy("Never used first"),
    "-granted": gettext_lazy("Newest permission first"),
    "granted": gettext_lazy("Oldest permission first"),
}


def chosen_sort(asked: Mapping[str, str], sorts: Sequence[str], usual: str) -> str:
    """Return the one of `sorts` that the address names; the usual one for none, and for a strange one."""
    sort = asked.get("sort", "")
    return sort if sort in sorts else usual


def sort_context(sort: str, sorts: Sequence[str], usual: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the headers and the selection show. `query`: what the address asks besides."""
    names = {each.removeprefix("-") for each in sorts}
    first_sorts = {name: way for name, way in _FIRST_SORT.items() if name in names}
    return {
        "columns": column_sorts(first_sorts, sort, query, usual=usual),
        "sorts": sort_options({way: text for way, text in _TEXTS.items() if way in sorts}, sort, usual),
    }
