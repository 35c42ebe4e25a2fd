"""Counts that come along with another statement: what a page pays for is how often it asks."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce


def counted_together(rows: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """Return how many rows each queryset has; one that is sliced is counted up to its end."""
    parts = [each.values("pk").query.sql_with_params() for each in rows.values()]
    sql = ", ".join(f"(SELECT COUNT(*) FROM ({part}) counted)" for part, _values in parts)  # noqa: S608 (Django wrote it)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", [value for _part, values in parts for value in values])
        return dict(zip(rows, cursor.fetchone(), strict=True))


def number_of(rows: QuerySet[Any]) -> Coalesce:
    """Return how many rows, 0 for none, as a value of another statement; `rows` may name that one's by OuterRef."""
    all_in_one = rows.order_by().annotate(everything=Value(1)).values("everything")
    return Coalesce(Subquery(all_in_one.annotate(number=Count("pk")).values("number")), 0)
