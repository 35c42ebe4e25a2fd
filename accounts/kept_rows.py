"""Bounds on rows that only people read: the newest stay."""

from typing import Any

from django.db.models import QuerySet


def forget_oldest(
    rows: QuerySet[Any], most: int, *, by: str, fields: tuple[str, ...] = ()
) -> list[tuple[Any, ...]]:
    """Delete all but the `most` of `rows` that are newest by the column `by`. Return `fields` of those deleted."""
    beyond = list(rows.order_by(f"-{by}", "-pk").values_list("pk", *fields)[most:])
    if beyond:
        QuerySet(rows.model).filter(pk__in=[pk for pk, *_values in beyond]).delete()
    return [tuple(values) for _pk, *values in beyond]
