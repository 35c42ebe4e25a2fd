"""The lists' part of the benchmark: 1,000,000 tags, 200,000 in one image, on SQLite and on PostgreSQL."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def measure(env: dict[str, str]) -> None:
    """Prints one line for each page: the time of a whole request in the server, and its statements."""
    _run(env, "migrate", "--verbosity", "0")
    _run(env, "collectstatic", "--no-input", "--verbosity", "0")
    for name in ("listing_world.py", "listing_pages.py"):
        _run(env, "shell", "--verbosity", "0", "--command", (HERE / name).read_text())


def _run(env: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], env=env, check=True)
