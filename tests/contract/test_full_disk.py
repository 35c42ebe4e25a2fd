"""A disk that is full: reading and tokens go on, what cannot be saved is refused in words, and space mends it."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests.parts import patient, processes, team

pytestmark = pytest.mark.contract
SIZE = 16  # MB


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_panel_goes_on_without_space_and_mends_itself(small: Path, tmp_path: Path) -> None:
    ports, log = processes.ports(), tmp_path / "run.log"
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env = kept | {"DATA_DIR": str(small / "data"), "STATIC_DIR": str(tmp_path / "static")}
    env |= ports | patient.ENV
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=env)
    try:
        running.wait_until(lambda: "ready:" in log.read_text(), "say ready")
        username, password, token = team.make(env)
        users = f"http://localhost:{ports['PORT']}/api/v1/accounts/team/users/"
        api = {"Authorization": f"Bearer {token}"}

        def create() -> requests.Response:
            return requests.post(users, json={"description": "late"}, headers=api, timeout=120)

        with _journal_that_only_grows(small / "data" / "db.sqlite3"):
            _fill(small / "fill")
            refused = create()
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert "The panel’s disk is full" in refused.json()["error"]["message"]
            assert len(requests.get(users, headers=api, timeout=120).json()["results"]) == 1
            asked = {"service": f"localhost:{ports['REGISTRY_PORT']}", "scope": "repository:team/app:pull"}
            door = f"http://localhost:{ports['TOKEN_PORT']}/auth/token"
            assert requests.get(door, asked, auth=(username, password), timeout=120).json()["token"]
            collecting = subprocess.run(
                [sys.executable, "manage.py", "reclaim", "--run"],
                check=False,
                env=env,
                capture_output=True,
                text=True,
            )
            assert collecting.stderr.startswith("CommandError: The panel’s disk is full")

        (small / "fill").unlink()
        assert create().status_code == 201
        assert len(requests.get(users, headers=api, timeout=120).json()["results"]) == 2
        with closing(sqlite3.connect(small / "data" / "db.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        running.stop()


@pytest.mark.parametrize("free", [0, 8, 64, 400])
def test_a_start_without_space_ends_with_a_sentence_and_the_next_one_goes_on(
    small: Path, tmp_path: Path, free: int
) -> None:
    """Whatever it was at: keys, configuration or tables. `free`: of how many KB."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env = kept | processes.ports() | {"DATA_DIR": str(small / "data"), "STATIC_DIR": str(tmp_path / "static")}
    (small / "free").write_bytes(b"\0" * 1024 * free)
    _fill(small / "fill")
    (small / "free").unlink()
    for _twice in range(2):
        command = [sys.executable, "manage.py", "run"]
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1
        assert re.search("No space left on device|disk is full|disk I/O error", line)
    assert list((small / "data" / "secrets").glob(".*")) == []
    (small / "fill").unlink()
    team.install(env)


@contextmanager
def _journal_that_only_grows(database: Path) -> Iterator[None]:
    """Read in it: else housekeeping, or its thousandth page, would make room in it just now."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=processes.PATIENCE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts_person").fetchone()
        yield


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return
