"""Statements that libpq runs on psycopg's connection: read and refused as psycopg does."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.db import connection

from registry_sync.tokens import queries, statements
from registry_sync.tokens.prepared import PreparedCursor

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's driver prepares by itself."),
    pytest.mark.django_db,
]
Driver = "psycopg.Connection[tuple[object, ...]]"
ROW = "SELECT $1::text, $2::int, length($1), NULL::bool, $2::int > 1, 'Ä'"


@pytest.fixture
def driver() -> Iterator[Driver]:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "user", "dbname") if name in parameters}
    with psycopg.connect(**wanted, autocommit=True) as made:
        yield made


def test_rows_are_what_psycopg_reads(driver: Driver) -> None:
    prepared = PreparedCursor(driver)
    for values in (["team/app", "1"], ["Ä ö", "2"], ["", "-3"]):
        assert (
            prepared.execute(ROW, values).fetchall()
            == psycopg.RawCursor(driver).execute(ROW, values).fetchall()
        )
    assert prepared.execute("SELECT 1 WHERE $1 = 'x'", ["y"]).fetchall() == []
    names = driver.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", [ROW])
    assert names.fetchone() == (1,)


def test_an_error_has_the_servers_code(driver: Driver) -> None:
    prepared = PreparedCursor(driver)
    for text in ("SELECT 1 / $1::int", "SELECT nonsense($1)"):
        with pytest.raises(psycopg.Error) as refused:
            prepared.execute(text, ["0"])
        assert refused.value.sqlstate in ("22012", "42883")
    assert prepared.execute("SELECT $1::int", ["0"]).fetchall() == [(0,)]


def test_a_connection_that_is_gone_is_an_outage(driver: Driver) -> None:
    prepared = PreparedCursor(driver)
    prepared.execute("SELECT $1::int", ["0"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [driver.info.backend_pid])
    while not driver.closed:  # it takes a moment to hear of it
        with suppress(psycopg.OperationalError):
            prepared.execute("SELECT $1::int", ["0"])
    with pytest.raises(psycopg.OperationalError):
        prepared.execute("SELECT $1::int", ["0"])


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        (statements.CALLER_BY_DIGEST, ["0" * 64, "team/app", "2026-01-01"]),
        (statements.ACCESS_BY_NAME, ["wsbq5k5ysqyt", "team/app", "2026-01-01"]),
        (statements.POLICIES, ["wsbq5k5ysqyt", "https://issuer.example.com", "2026-01-01"]),
    ],
)
def test_what_a_token_needs_is_found_by_keys(driver: Driver, template: str, parameters: list[str]) -> None:
    for name in queries.BY_KEYS:
        driver.execute(f"SET {name} = off")
    text = statements.statement(template, "postgresql")
    rows = PreparedCursor(driver).execute(f"EXPLAIN {text}", parameters).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert "Index Scan" in plan
    assert not any(word in plan for word in ("Seq Scan", "Hash", "Merge", "JIT")), plan


def test_it_is_prepared_again_after_a_rollback(driver: Driver) -> None:
    prepared = PreparedCursor(driver)
    prepared.execute("SELECT $1::int", ["1"])
    with suppress(LookupError), driver.transaction():
        driver.execute("SELECT 1", prepare=True)
        assert prepared.execute("SELECT $1::int", ["2"]).fetchall() == [(2,)]
        raise LookupError
    driver.execute("DEALLOCATE ALL")
    assert prepared.execute("SELECT $1::int", ["3"]).fetchall() == [(3,)]


def test_two_cursors_of_a_connection_share_what_is_prepared(driver: Driver) -> None:
    for _cursor in range(2):
        assert PreparedCursor(driver).execute("SELECT $1::int", ["1"]).fetchall() == [(1,)]


def test_behind_a_pooler_nothing_is_prepared(driver: Driver) -> None:
    driver.prepare_threshold = None
    prepared = PreparedCursor(driver)
    for _time in range(8):
        assert prepared.execute("SELECT $1::int", ["7"]).fetchall() == [(7,)]
    assert driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
