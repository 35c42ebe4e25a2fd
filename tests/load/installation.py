"""An installation of its own for each measurement: its data folder, its settings, its commands."""

import os
import subprocess
import sys
from pathlib import Path


def environment(folder: Path, address: str) -> dict[str, str]:
    """`address`: of PostgreSQL, "" for SQLite."""
    folder.mkdir()
    env = os.environ | {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    if address:
        env["DATABASE_URL"] = address
    manage(env, "init_data_dir")
    return env


def manage(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout
