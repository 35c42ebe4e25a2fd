"""One `make run` at a time on a data folder: two would share a database, a queue and a registry's storage."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

PATIENCE = 60  # seconds that the parts of a killed run may take until they have ended too
BETWEEN = 0.2


class TakenError(Exception):
    """Another run uses the folder; the message says what to do."""


def take(folder: Path, say: Callable[[str], None]) -> TextIO:
    """Lock the folder until the file is closed. The parts inherit it, so that it is free when all have ended."""
    file = (folder / "run.lock").open("a+")
    end, said = time.monotonic() + PATIENCE, False
    while not _locked(file):
        holder = _holder(file)
        if _lives(holder) or time.monotonic() > end:
            raise TakenError(
                f"Registry Manager runs already on {folder} (process {holder}). Stop it, or choose another data "
                "folder and ports, as in: DATA_DIR=./var2 PORT=9000 REGISTRY_PORT=6000 make run"
            )
        if not said:
            say(f"waiting until the parts of a run that was killed (process {holder}) have ended ...")
            said = True
        time.sleep(BETWEEN)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    os.set_inheritable(file.fileno(), True)
    return file


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: TextIO) -> int:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdigit() else 0


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and alive
        return True
    return process > 0
