"""The access ledger's part of the benchmark: 1,000,000 entries, on SQLite and on PostgreSQL: `make bench T=ledger`."""

import json
from pathlib import Path

from tests.load.installation import environment, manage
from tests.load.summary import Row
from tests.parts import postgres

HERE = Path(__file__).parent
HEAD = "LEDGER of 1,000,000 entries, 200,000 in one namespace, 100,000 of one user; an answer, median of 5"


def measure(folder: Path) -> list[Row]:
    print(HEAD, flush=True)
    on_sqlite = _asked(environment(folder / "sqlite", ""))
    with postgres.running() as address:
        on_postgresql = _asked(environment(folder / "postgresql", address))
    print(f"{'':<48}{'SQLite':>12}{'PostgreSQL':>12}")
    for label, seconds in on_sqlite.items():
        print(f"{label:<48}{seconds * 1000:>9,.0f} ms{on_postgresql[label] * 1000:>9,.0f} ms")
    slowest = max(*on_sqlite.values(), *on_postgresql.values())
    return [Row("the slowest question to the access ledger", f"{slowest * 1000:,.0f} ms")]


def _asked(env: dict[str, str]) -> dict[str, float]:
    """Return label → seconds."""
    manage(env, "migrate", "--verbosity", "0")
    for name in ("ledger_world.py", "ledger_questions.py"):
        answer = manage(env, "shell", "--verbosity", "0", "--command", (HERE / name).read_text())
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    return found
