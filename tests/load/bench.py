"""`make bench`: what a token, a list, a sync and `make run` cost, beside the bare thing, in one run on one machine.

`make bench T=doors` is one part of it. Read the ratios; the figures are this machine's.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.load import doors, memory, pages, queries, tokens
from tests.load.events import measure as measure_events
from tests.load.events_rates import measure as measure_event_rates
from tests.load.installation import environment
from tests.load.listing import measure as measure_list
from tests.load.sync import measure as measure_sync
from tests.parts import postgres


def measure_lists(folder: Path) -> None:
    print(
        "LISTS of 1,000,000 tags, 200,000 in one image; a whole request, in the server's process", flush=True
    )
    measure_list(environment(folder / "sqlite", ""))
    with postgres.running() as address:
        measure_list(environment(folder / "postgresql", address))
    print()


PARTS = {
    "tokens": tokens.measure,
    "memory": memory.measure,
    "pages": pages.measure,
    "events": measure_events,
    "event-rates": measure_event_rates,
    "lists": measure_lists,
    "queries": queries.measure,
    "sync": measure_sync,
    "doors": doors.measure,
}


def main(wanted: list[str]) -> None:
    if not set(wanted) <= set(PARTS):
        sys.exit(f"T must be one of: {', '.join(PARTS)}")
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; run: apt-get install wrk")
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for part in wanted or PARTS:
            folder = Path(name) / part
            folder.mkdir()
            PARTS[part](folder)


if __name__ == "__main__":
    main(sys.argv[1:])
