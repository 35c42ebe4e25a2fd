"""What each process of a server counted, in a file of its own; a scrape adds them up.

The server makes the folder when it starts (manager/server/serving.py), so that nobody else writes there: processes of
several containers may have the same number. The file of a process that ended stays, and so do its counts.
"""

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.util import Finalize
from pathlib import Path

from accounts.common import counts
from accounts.common.counts import Declared, Numbers

FOLDER = "REGISTRY_MANAGER_COUNTS"  # the variable by which the server tells its processes
WRITE_EVERY = 1.0  # seconds
_DRAFT = ".draft"

log = logging.getLogger(__name__)


class Snapshots:
    """Those in `folder`, of which one is this process's. Without a folder there is only this process.

    `declared`: what is written and added up.
    """

    def __init__(self, folder: Path | None, declared: Sequence[Declared] = counts.ALL) -> None:
        self._declared = declared
        self._own = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json" if folder else None
        self._written = ""
        self._lock = threading.Lock()
        self._failing = False

    def start(self) -> None:
        """Begin to write in the background; at the end of the process once more."""
        threading.Thread(target=self._run, name="counts", daemon=True).start()
        # Not atexit, which does nothing in a server's worker process.
        Finalize(None, self.write, exitpriority=0)

    def write(self) -> None:
        with self._lock:
            text = json.dumps(counts.snapshot(self._declared))
            if self._own is None or text == self._written:
                return
            draft = self._own.with_suffix(_DRAFT)
            try:
                draft.write_text(text)
                draft.rename(self._own)  # a reader sees one or the other
            except OSError as error:
                if not self._failing:
                    log.warning("counts are not written: %s", error.strerror)
                self._failing = True
                return
            self._failing, self._written = False, text

    def totals(self) -> list[tuple[Declared, dict[str, list[float]]]]:
        """Return each with its sums.

        Of this process too it counts what is in its file, written just now: a scrape that meets another process must
        not find less than the one before, which Prometheus would take for a restart.
        """
        self.write()
        snapshots = self._read()
        return [(each, counts.total(snapshots, each)) for each in self._declared]

    def _read(self) -> list[dict[str, Numbers]]:
        if self._own is None or not self._own.exists():  # nothing was written, or nothing can be
            found: list[dict[str, Numbers]] = [dict(counts.snapshot(self._declared))]
        else:
            found = []
        if self._own is None:
            return found
        for file in sorted(self._own.parent.glob("*.json")):
            with suppress(OSError, ValueError):
                found.append(json.loads(file.read_text()))
        return found

    def _run(self, sleep: Callable[[float], None] = time.sleep) -> None:
        while True:
            sleep(WRITE_EVERY)
            self.write()


def folder() -> Path | None:
    """Return the folder that the server made; None where none could be made, or there is no server."""
    name = os.environ.get(FOLDER)
    return Path(name) if name else None
