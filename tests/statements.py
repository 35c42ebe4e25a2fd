"""The statements that a page asks of the database, without those that only open, close or steer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection
from django.test.utils import CaptureQueriesContext

from registry_sync.tokens import queries

NO_QUESTION = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT", "SET LOCAL")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Filled when the block ends. Tells the same of SQLite and of PostgreSQL, which plans what is searched."""
    questions: list[str] = []
    with CaptureQueriesContext(connection) as asked:
        yield questions
    questions += [each["sql"] for each in asked if not each["sql"].startswith(NO_QUESTION)]


class _Recording:
    """A driver's cursor that remembers what it is asked."""

    def __init__(self, cursor: Any, statements: list[str], first: Callable[[], object]) -> None:
        self.cursor, self.statements, self.first = cursor, statements, first

    def execute(self, text: str, parameters: Any) -> Any:
        self.statements.append(text)
        self.first()
        return self.cursor.execute(text, parameters)


@contextmanager
def asked_of_the_driver(first: Callable[[], object] = lambda: None) -> Iterator[list[str]]:
    """All that is asked, past Django's cursor as the token door does it, or through it; `first` may fail there."""
    cursor, statements = queries._cursor, list[str]()
    with CaptureQueriesContext(connection) as asked, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            queries, "_cursor", lambda database: _Recording(cursor(database), statements, first)
        )
        yield statements
    statements += [each["sql"] for each in asked]


@contextmanager
def before(piece: str, *acts: Callable[[], object]) -> Iterator[None]:
    """The first act happens before the first statement that has `piece` in it, and so on; each once."""
    left = list(acts)

    def execute(run: Any, sql: str, *more: Any) -> Any:
        if left and piece in sql:
            left.pop(0)()
        return run(sql, *more)

    with connection.execute_wrapper(execute):
        yield
    assert not left, f"{piece} was asked for less often"


@contextmanager
def failing(piece: str, error: BaseException, *, of: str = "") -> Iterator[None]:
    """Each statement that has `piece` in it fails; with `of`, where that is in its parameters."""

    def execute(run: Any, sql: str, parameters: Any, *more: Any) -> Any:
        if piece in sql and of in str(parameters):
            raise error
        return run(sql, parameters, *more)

    with connection.execute_wrapper(execute):
        yield


def caused_by(cause: Exception) -> DatabaseError:
    """What Django makes of an error of PostgreSQL's."""
    kind = ProgrammingError if isinstance(cause, psycopg.ProgrammingError) else OperationalError
    error = kind("the database says no")
    error.__cause__ = cause
    return error
