"""The environment of a test run, made before Django reads its settings: hence a plugin, loaded by `-p`.

Nothing of the shell's reaches a test but KEPT: no setting of ours, no proxy, no PG… or GRANIAN_… variable. Every
run, and every worker of one, has a data folder and secret files of its own. The database is SQLite in that folder,
or what TEST_DATABASE_URL names (tests/parts/run.py), never the shell's DATABASE_URL.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path

from manager.standalone.data_dir import ensure_secret_files

KEPT = {
    "CI",
    "HOME",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "PYTHONPATH",
    "TERM",
    "TMPDIR",
    "USER",
    "VIRTUAL_ENV",
}
KEPT_PREFIXES = ("PYTEST_", "TEST_")  # pytest-xdist tells a worker its name by one


def clear(environment: MutableMapping[str, str]) -> None:
    for name in list(environment):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del environment[name]
    environment["LC_ALL"] = "C.UTF-8"
    if database := environment.get("TEST_DATABASE_URL"):
        environment["DATABASE_URL"] = database


def _prepare() -> None:
    clear(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="registry-manager-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DATA_DIR"] = str(folder)
    (folder / "static").mkdir()  # WhiteNoise warns when it is not there, and warnings fail
    ensure_secret_files(folder / "secrets", datetime.now(UTC))


_prepare()
