"""What Registry Manager costs, beside the bare thing, in one run on one machine.

make bench                      tokens, a few loads on the doors, pages, memory: some minutes
make bench T="sync events"      these parts
make bench T=all                every part: half an hour
BASE=<revision> make bench      measures an older build, too: tokens, pages and queries in turns with this one
BASE_PYTHON=<program>           runs that build, where it needs packages that are no longer here

Read the ratios, of which the last lines are a summary; all other figures are this machine's.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.load import (
    backup,
    doors,
    events,
    events_rates,
    id_tokens,
    ledger,
    memory,
    metrics,
    pages,
    queries,
    restarts,
    scale,
    sync,
    tokens,
    webhooks,
)
from tests.load.installation import environment
from tests.load.listing import measure as measure_list
from tests.load.summary import Row, summary
from tests.parts import postgres


def measure_lists(folder: Path) -> None:
    print(
        "LISTS of 1,000,000 tags, 200,000 in one image; a whole request, in the server's process", flush=True
    )
    measure_list(environment(folder / "sqlite", ""))
    with postgres.running() as address:
        measure_list(environment(folder / "postgresql", address))
    print()


Measure = Callable[[Path], list[Row] | None]
CORE: dict[str, Measure] = {
    "tokens": tokens.measure,
    "metrics": metrics.measure,
    "doors": doors.measure_few,
    "pages": pages.measure,
    "memory": memory.measure,
}
PARTS: dict[str, Measure] = {
    **CORE,
    "doors": doors.measure,
    "growth": memory.measure_growth,
    "scale": scale.measure,
    "sync": sync.measure,
    "events": events.measure,
    "event-rates": events_rates.measure,
    "queries": queries.measure,
    "lists": measure_lists,
    "ledger": ledger.measure,
    "id-tokens": id_tokens.measure,
    "backup": backup.measure,
    "webhooks": webhooks.measure,
    "restarts": restarts.measure,
}


def main(wanted: list[str]) -> None:
    parts = CORE if not wanted else PARTS if wanted == ["all"] else {name: PARTS.get(name) for name in wanted}
    if not all(parts.values()):
        sys.exit(f"T must be some of: all, {', '.join(PARTS)}")
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; run: apt-get install wrk")
    sys.stdout.reconfigure(line_buffering=True)
    rows: list[Row] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for part, measure in parts.items():
            folder = Path(name) / part
            folder.mkdir()
            if measure:
                rows += measure(folder) or []
    if rows:
        print(summary(rows))
    print(f"in {(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main(sys.argv[1:])
