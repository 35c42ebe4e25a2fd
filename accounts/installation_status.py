"""How the installation stands, which every page says.

It is asked along with what a page asks anyhow, and by no statement of its own. Upper rooms say what it is
(registry_sync/installation_status.py).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

# A name, and SQL for one value. What may change while a page is open belongs to NOTED, and must not change by itself.
NOTED: dict[str, str] = {}
SHOWN: dict[str, str] = {}
# What is in that SQL; moments as the database takes them.
VALUES: Final[list[Callable[[datetime], dict[str, Any]]]] = []


def columns(named: dict[str, str]) -> str:
    return "".join(f", {sql} AS {name}" for name, sql in named.items())


def values(now: datetime) -> dict[str, Any]:
    return {name: value for values in VALUES for name, value in values(now).items()}


def of(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name, None) for name in names}
