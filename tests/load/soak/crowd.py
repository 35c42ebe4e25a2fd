"""What both soaks do: the eight clients, the end when all has settled, and the comparison with the registry."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.load.soak.house import House
from tests.load.soak.report import Report
from tests.load.soak.tally import Act, Move, Name, Told, percentile, waits
from tests.load.soak.watch import MOVES, Inventory
from tests.parts import processes

BEFORE = 10  # seconds, in which the first images come
QUIET = 12  # seconds without an event: the registry tries again after ten
LATE = 5  # seconds from our 202 to the inventory
SETTLED = 120
CHECKED = 180
WAITING = "select {what} from registry_sync_event where applied_at is null and due_at is not null and {whose}"
OTHERS, ODD = "namespace <> 'odd'", "namespace = 'odd'"
RUN = """
select state from registry_sync_syncrun
where not quick and finished_at is not null and started_at >= to_timestamp({at}) order by id limit 1
"""
ASK = """
from accounts.models import Person
from accounts.views.request import principal_for
from registry_sync.jobs import request_sync
request_sync(by=principal_for(Person.objects.get(email="ada@example.com"), {}))
"""


def start(house: House, seconds: float, seed: int) -> processes.Running:
    return house.python(
        "soak.clients", registry=house.registry, users=house.users, seconds=seconds, seed=seed,
        pause=[0.5, 2.5], deletes_tags=house.version != "2.8", journal=str(house.folder / "acts.jsonl"),
    )  # fmt: skip


def acts(house: House) -> list[Act]:
    return [Act(**line) for line in lines(house.folder / "acts.jsonl")]


def told(house: House) -> Told:
    return Told(lines(house.told))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def settle(house: House, inventory: Inventory) -> bool:
    """Until the registry has told all that it will, and what it told of all but the odd tenant is applied."""

    def quiet() -> bool:
        last = house.told.stat().st_mtime if house.told.exists() else 0
        return time.time() - last > QUIET and not waiting(inventory, OTHERS)

    return house.supervisor.watch(SETTLED, quiet)


def history(house: House, inventory: Inventory) -> list[Move]:
    """Written beside the other records too, to be looked at afterwards."""
    rows = inventory.rows(MOVES)
    (house.folder / "moves.jsonl").write_text(
        "".join(json.dumps([str(each) for each in row]) + "\n" for row in rows)
    )
    return [Move(*row[1:5]) for row in rows]


def waiting(inventory: Inventory, whose: str) -> Counter[str]:
    """Events that are not applied yet, by what is in the way."""
    rows = inventory.rows(WAITING.format(what="left(problem, 90)", whose=whose))
    return Counter(problem or "nothing" for (problem,) in rows)


def check(house: House, inventory: Inventory) -> str:
    """How the first full check ended that began after this."""
    statement = RUN.format(at=time.time())
    house.shell(ASK)
    house.supervisor.watch(CHECKED, lambda: bool(inventory.rows(statement)))
    return str((inventory.rows(statement) or [("not at all",)])[0][0])


def differences(house: House, inventory: Inventory) -> dict[Name, tuple[str, str]]:
    """(repository, tag) → what the registry's storage says, and what the panel says."""
    truth, shown = tags_stored(house.storage), inventory.tags()
    both = truth.keys() | shown.keys()
    return {
        name: (truth.get(name, ""), shown.get(name, ""))
        for name in both
        if truth.get(name, "") != shown.get(name, "")
    }


def differing(wrong: dict[Name, tuple[str, str]]) -> list[str]:
    return [
        f"{repository}:{tag} is {there[:19] or 'gone'}, shown as {shown[:19] or 'gone'}"
        for (repository, tag), (there, shown) in sorted(wrong.items())
    ]


def line(act: Act) -> str:
    what = f"→ {act.outcome[:19]}" if act.outcome else "deleted"
    return f"act {act.number}: {act.repository}:{','.join(act.tags)} {what}"


def tags_stored(storage: Path) -> dict[Name, str]:
    """Read from its files, without any code of ours."""
    found = {}
    for link in storage.glob("*/*/_manifests/tags/*/current/link"):
        repository, tag = link.relative_to(storage).parts[:2], link.parts[-3]
        digest = link.read_text()
        if (link.parents[3] / "revisions" / digest.replace(":", "/") / "link").exists():
            found["/".join(repository), tag] = digest
    return found


def times(report: Report, label: str, some: list[float]) -> None:
    """Seconds from our 202 until the inventory said so."""
    never = sum(each == float("inf") for each in some)
    report.fact(f"{label} p50", f"{percentile(some, 50):.2f} s")
    report.most(f"{label} p99", percentile(some, 99), LATE, " s")
    report.fact(f"{label} max", f"{max(some, default=0):.2f} s", f"{never:,} never" if never else "")


def delays(house: House, inventory: Inventory) -> dict[tuple[int, str], float]:
    return waits(acts(house), told(house), inventory.sightings)
