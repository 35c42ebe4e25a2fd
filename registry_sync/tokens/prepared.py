"""libpq's prepared statements on psycopg's connection. Through psycopg's own cursor a statement takes twice as long."""

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_GOOD = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
_NOT_PREPARED, _ALREADY_PREPARED = b"26000", b"42P05"


class PreparedCursor:
    """A cursor for few statements that are run again and again. Parameters are text, called $1, $2 and so on.

    psycopg drops all that is prepared when it rolls back, so it is prepared again; within a transaction, which an
    error would end, nothing is prepared. Nor is it behind a pooler (`prepare_threshold` None).
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._server, self._read = connection.pgconn, Transformer(connection)
        self._prepares = connection.prepare_threshold is not None
        self._names: dict[str, bytes] = {}
        self._found = 0

    def execute(self, text: str, parameters: Sequence[str]) -> Self:
        """Raise psycopg.Error."""
        values = [each.encode() for each in parameters]
        if self._prepares and self._server.transaction_status == TransactionStatus.IDLE:
            result = self._run_prepared(text, values)
        else:
            result = self._server.exec_params(text.encode(), values)
        self._read.set_pgresult(_checked(result))
        self._found = result.ntuples
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._read.load_rows(0, self._found, tuple)

    def _run_prepared(self, text: str, values: list[bytes]) -> PGresult:
        result = self._server.exec_prepared(self._names.get(text) or self._prepare(text), values)
        if result.error_field(DiagnosticField.SQLSTATE) == _NOT_PREPARED:
            result = self._server.exec_prepared(self._prepare(text), values)
        return result

    def _prepare(self, text: str) -> bytes:
        # Named by its text: what is already called so, by another cursor of the connection, is the same statement.
        name = hashlib.sha256(text.encode()).hexdigest()[:32].encode()
        result = self._server.prepare(name, text.encode())
        if result.error_field(DiagnosticField.SQLSTATE) != _ALREADY_PREPARED:
            _checked(result)
        self._names[text] = name
        return name


def _checked(result: PGresult) -> PGresult:
    if result.status in _GOOD:
        return result
    error = psycopg.errors.error_from_result(result)
    # Of a connection that is gone the server has said nothing, so there is no code.
    raise error if error.sqlstate else psycopg.OperationalError(str(error))
