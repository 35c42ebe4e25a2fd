"""`make showcase`: what an operator lives through, in production's settings, on real parts; exit code 1 where it fails.

SHOWCASE_FOLDER=…  keep logs and records there
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.showcase import installation, move, push, restore, space, update
from tests.showcase.told import Broken, say

CHAPTERS = {
    "A rolling update under load": update.show,
    "A push is told, signed, and counted": push.show,
    "The machine is wiped, and restored from one archive": restore.show,
    "Space is reclaimed": space.show,
    "SQLite to PostgreSQL and back": move.show,
}


@contextmanager
def folder() -> Iterator[Path]:
    if wanted := os.environ.get("SHOWCASE_FOLDER"):
        Path(wanted).mkdir(parents=True)
        yield Path(wanted).resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="showcase-") as name:
            yield Path(name)


def main() -> int:
    began = time.monotonic()
    with folder() as place, installation.running(place) as found:
        for number, (title, show) in enumerate(CHAPTERS.items(), 1):
            print(f"\n{number}. {title}", flush=True)
            try:
                show(found)
            except Broken as broken:
                print(f"   FAILED: {broken}")
                return 1
        say(f"all of it took {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
