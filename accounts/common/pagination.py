"""Keyset paging: a page starts after a row, not at a number, so page 4,000 costs what page 1 costs."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Q, QuerySet

from accounts.common.errors import Invalid
from accounts.common.prepared_queries import Prepared

Row = TypeVar("Row")
PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows. `next_cursor`/`previous_cursor` are "" where the list ends; `parameter` has them in URLs."""

    rows: list[Row]
    next_cursor: str
    previous_cursor: str
    query: dict[str, str]
    parameter: str = "page"

    @property
    def next_url(self) -> str:
        return self._url(self.next_cursor)

    @property
    def previous_url(self) -> str:
        return self._url(self.previous_cursor)

    @property
    def first_url(self) -> str:
        """Return the query of the first page; "" on it."""
        return "?" + urlencode(self._kept()) if self.previous_cursor else ""

    def _url(self, cursor: str) -> str:
        return "?" + urlencode({**self._kept(), self.parameter: cursor}) if cursor else ""

    def _kept(self) -> dict[str, str]:
        return {key: value for key, value in self.query.items() if value}


def paginate(
    rows: "QuerySet[Any, Row]",
    *more_rows: "QuerySet[Any, Row]",
    cursor: str = "",
    size: int = PAGE_SIZE,
    query: dict[str, str] | None = None,
    parameter: str = "page",
) -> Page[Row]:
    """Page a queryset whose order is total and of one direction: ("name",) or ("-created_at", "-id").

    `parameter`: what the cursor is called in URLs, where a page has two lists.
    `more_rows`: others of the same order and without a row in common, shown as one list with it; each is
    read by its own index, where one condition for all of them would make the database sort.
    Raise Invalid on `parameter` for a cursor we did not make.
    """
    order = tuple(str(name) for name in rows.query.order_by)
    fields, down = [name.lstrip("-") for name in order], order[0].startswith("-")
    backwards, values = _read(cursor, len(fields), parameter)
    smaller = down != backwards
    try:
        sources = [_source(each, fields, values, smaller)[: size + 1] for each in (rows, *more_rows)]
        found = list(chain.from_iterable(sources))
    except (ValidationError, ValueError, TypeError, OverflowError, DataError):
        if not values:
            raise
        raise _broken(
            parameter
        ) from None  # some values only the database refuses: NUL, surrogates, the year 9999
    if more_rows:
        found.sort(key=lambda row: [_attribute(row, name) for name in fields], reverse=smaller)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    behind, ahead = (more, True) if backwards else (bool(values), more)
    page = _page(found, fields, behind=behind, ahead=ahead, query=query)
    return replace(page, parameter=parameter)


def paginate_prepared(
    rows: Prepared[..., Row],
    *chosen: object,
    cursor: str = "",
    query: dict[str, str] | None = None,
    **values: object,
) -> Page[Row]:
    """As `paginate` of what `rows` builds for `chosen` and `values`; the first page by the statement that is kept."""
    if cursor:
        return paginate(rows.build(*chosen, **values), cursor=cursor, query=query)
    statement = rows.statement(PAGE_SIZE + 1, *chosen, **values)
    found = statement.rows(values)
    fields = [name.lstrip("-") for name in statement.order]
    return _page(found[:PAGE_SIZE], fields, behind=False, ahead=len(found) > PAGE_SIZE, query=query)


def _page(
    found: list[Row], fields: list[str], *, behind: bool, ahead: bool, query: dict[str, str] | None
) -> Page[Row]:
    return Page(
        rows=found,
        next_cursor=_write("a", found[-1], fields) if found and ahead else "",
        previous_cursor=_write("b", found[0], fields) if found and behind else "",
        query=query or {},
    )


def _source(
    rows: "QuerySet[Any, Row]", fields: list[str], values: list[Any], smaller: bool
) -> "QuerySet[Any, Row]":
    if values:
        rows = rows.filter(_beyond(fields, values, smaller=smaller))
    return rows.order_by(*(f"-{name}" if smaller else name for name in fields))


def _beyond(fields: list[str], values: list[Any], *, smaller: bool) -> Q:
    """Return `a <= x AND NOT (a = x AND b >= y)`: the form that databases answer from the index."""
    strict, loose, tie = ("lt", "lte", "gte") if smaller else ("gt", "gte", "lte")
    if len(fields) == 1:
        return Q(**{f"{fields[0]}__{strict}": values[0]})
    (first, second), (x, y) = fields, values
    return Q(**{f"{first}__{loose}": x}) & ~Q(**{first: x, f"{second}__{tie}": y})


def _write(side: str, row: object, fields: list[str]) -> str:
    values = [_value(row, name) for name in fields]
    return base64.urlsafe_b64encode(json.dumps([side, *values]).encode()).decode().rstrip("=")


def _value(row: object, path: str) -> Any:
    value = _attribute(row, path)
    return value.isoformat() if isinstance(value, datetime) else value


def _attribute(row: object, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return value


def _read(cursor: str, count: int, parameter: str) -> tuple[bool, list[Any]]:
    if not cursor:
        return False, []
    try:
        side, *values = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError):
        raise _broken(parameter) from None
    if side not in ("a", "b") or len(values) != count or not all(isinstance(v, str | int) for v in values):
        raise _broken(parameter)
    if any(_beyond_time(value) for value in values):
        raise _broken(parameter)
    return side == "b", values


def _beyond_time(value: str | int) -> bool:
    """Return True for a moment that is no moment in UTC; one database would take it, the other fall over it."""
    try:
        datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:  # a name
        return False
    except OverflowError:
        return True
    return False


def _broken(parameter: str) -> Invalid:
    return Invalid.on(parameter, "This page address is broken; start again from the first page.")
