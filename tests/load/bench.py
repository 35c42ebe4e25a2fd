"""`make bench`: what a token, a list and a sync cost, beside the bare thing, in one run on one machine.

Read the ratios; the figures are this machine's.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.load import tokens
from tests.load.events import measure as measure_events
from tests.load.installation import environment
from tests.load.listing import measure as measure_list
from tests.load.sync import measure as measure_sync
from tests.parts import postgres


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; run: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        tokens.measure(folder)
        measure_events(folder / "events")
        measure_lists(folder)
        measure_sync(folder)


def measure_lists(folder: Path) -> None:
    print(
        "LISTS of 1,000,000 tags, 200,000 in one image; a whole request, in the server's process", flush=True
    )
    measure_list(environment(folder / "lists-sqlite", ""))
    with postgres.running() as address:
        measure_list(environment(folder / "lists-postgresql", address))
    print()


if __name__ == "__main__":
    main()
