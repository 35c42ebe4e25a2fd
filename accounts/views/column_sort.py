"""The headers of a list's columns that sort it, and the links of a list that keep what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

Text = TypeVar("Text")


@dataclass(frozen=True)
class ColumnSort:
    """A column's header: where it leads, and how the column is sorted now: ascending, descending or ""."""

    url: str
    now: str


def column_sorts(
    first_sorts: Mapping[str, str], sort: str, query: Mapping[str, str], *, usual: str
) -> dict[str, ColumnSort]:
    """Return column → header. `first_sorts`: which way a column is sorted when it is chosen first.

    `usual`: how the list is sorted when its address does not say. No address names it.
    """
    return {name: _column(name, first, sort, query, usual) for name, first in first_sorts.items()}


def _column(name: str, first: str, sort: str, query: Mapping[str, str], usual: str) -> ColumnSort:
    chosen = sort.removeprefix("-") == name
    turned = name if sort.startswith("-") else f"-{name}"
    now = "descending" if sort.startswith("-") else "ascending"
    way = turned if chosen else first
    return ColumnSort(list_url({**query, "sort": "" if way == usual else way}), now if chosen else "")


def sort_options(texts: Mapping[str, Text], sort: str, usual: str) -> list[tuple[str, Text, bool]]:
    """Return (value, text, selected) for each way to sort. The value of the usual one is ""."""
    return [("" if way == usual else way, text, way == sort) for way, text in texts.items()]


def list_url(query: Mapping[str, str]) -> str:
    return "?" + urlencode({key: value for key, value in query.items() if value})
