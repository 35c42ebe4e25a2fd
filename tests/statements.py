"""The statements that a page asks of the database, without those that only open, close or steer."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

NO_QUESTION = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT", "SET LOCAL")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Filled when the block ends. Tells the same of SQLite and of PostgreSQL, which plans what is searched."""
    questions: list[str] = []
    with CaptureQueriesContext(connection) as asked:
        yield questions
    questions += [each["sql"] for each in asked if not each["sql"].startswith(NO_QUESTION)]
