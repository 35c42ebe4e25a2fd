"""How the database goes about what it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

EXPLAIN = {"postgresql": "EXPLAIN", "sqlite": "EXPLAIN QUERY PLAN"}


@contextmanager
def explained(piece: str) -> Iterator[list[str]]:
    """Filled with the plan of each statement that has `piece` in it, for its own values."""
    plans: list[str] = []

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if piece in sql and not sql.startswith("EXPLAIN"):
            with connection.cursor() as cursor:
                cursor.execute(f"{EXPLAIN[connection.vendor]} {sql}", parameters)
                plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(execute):
        yield plans
    assert plans, f"nothing was asked with {piece}"


def reads_all(plan: str, table: str) -> bool:
    """Return True if it reads the whole table, in no order."""
    lines = [line.strip() for line in plan.splitlines()]
    return f"SCAN {table}" in lines or f"Seq Scan on {table} " in plan


def analyze() -> None:
    """Let the planner know what there is, as autovacuum would; and take every table for a long one."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
