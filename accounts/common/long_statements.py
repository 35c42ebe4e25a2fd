"""More time for statements than the few seconds that a page may take (manager/database_url.py)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

LONGEST = "5min"


@contextmanager
def more_time(longest: str = LONGEST) -> Iterator[None]:
    """In a transaction: behind a pooler, what outlives one would be given to somebody else."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{longest}'")
        yield
