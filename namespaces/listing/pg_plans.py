"""How PostgreSQL is to plan what depends on the words that somebody typed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def by_value(needed: object = True) -> Iterator[None]:
    """Each statement inside is planned for its own values, when `needed`.

    Prepared statements are planned once for all values. That suits keys; but a piece of a name is now in every
    tag and now in none, and the plan for the one takes the other a thousand times as long.
    """
    if not needed or connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        yield
