"""The headers of a list's columns that sort it, and the links of a list that keep what is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class ColumnSort:
    """A column's header: where it leads, and how the column is sorted now: ascending, descending or ""."""

    url: str
    now: str


def column_sorts(
    first_sorts: Mapping[str, str], sort: str, query: Mapping[str, str]
) -> dict[str, ColumnSort]:
    """Return column → header. `first_sorts`: which way a column is sorted when it is chosen first."""
    return {name: _column(name, first, sort, query) for name, first in first_sorts.items()}


def _column(name: str, first: str, sort: str, query: Mapping[str, str]) -> ColumnSort:
    chosen = sort.removeprefix("-") == name
    turned = name if sort.startswith("-") else f"-{name}"
    now = "descending" if sort.startswith("-") else "ascending"
    return ColumnSort(list_url({**query, "sort": turned if chosen else first}), now if chosen else "")


def list_url(query: Mapping[str, str]) -> str:
    return "?" + urlencode({key: value for key, value in query.items() if value})
