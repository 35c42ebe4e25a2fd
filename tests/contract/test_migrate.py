"""`migrate` beside a panel in use, on a real PostgreSQL: it waits its turn, and has the time it needs."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from manager import migration_lock
from manager.management.commands.migrate import WAITING
from tests.parts import fixtures, postgres, processes, team

pytestmark = pytest.mark.contract
MIGRATE = [sys.executable, "manage.py", "migrate", "--no-input"]
LIMIT = """
from django.core.management import call_command
from django.db import connection
def limit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]
before = limit()
call_command("migrate", verbosity=0)
print("LIMIT", before, limit())
"""


@pytest.fixture
def database() -> Iterator[postgres.Cluster]:
    fixtures.need("postgresql")
    with postgres.cluster() as made:
        yield made


@pytest.fixture
def env(database: postgres.Cluster, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "SECRETS_DIR"}
    return kept | {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": database.patient_url}


def test_a_table_in_use_is_waited_for(
    database: postgres.Cluster, env: dict[str, str], tmp_path: Path
) -> None:
    subprocess.run([*MIGRATE, "namespaces"], env=env, check=True, capture_output=True)
    log = tmp_path / "log"
    with psycopg.connect(database.url) as page:
        page.execute("LOCK TABLE namespaces_image IN ROW EXCLUSIVE MODE")
        migrating = processes.start("migrate", MIGRATE, log=log, env=env)
        migrating.wait_until(lambda: "trying again" in log.read_text(), "say that it tries again")
        limit = f"-c lock_timeout={processes.PATIENCE}s"
        with psycopg.connect(database.url, options=limit) as other:  # queues behind it, and gets on
            other.execute("LOCK TABLE namespaces_image IN ROW EXCLUSIVE MODE")
    assert migrating.popen.wait(processes.PATIENCE) == 0
    assert "lock timeout" in log.read_text()


def test_a_table_that_grew_is_given_its_time(env: dict[str, str]) -> None:
    assert team.shell(env, LIMIT).splitlines()[-1] == "LIMIT 10s 0"


def test_of_two_machines_that_start_at_once_one_migrates_and_the_other_waits(
    database: postgres.Cluster, env: dict[str, str], tmp_path: Path
) -> None:
    """Both find a third at work, so that both surely are there when the first of them begins."""
    subprocess.run([sys.executable, "manage.py", "init_data_dir"], env=env, check=True, capture_output=True)
    logs = [tmp_path / "1.log", tmp_path / "2.log"]
    with psycopg.connect(database.url) as third:
        third.execute("SELECT pg_advisory_xact_lock(%s)", [migration_lock.NUMBER])
        both = [processes.start("migrate", MIGRATE, log=log, env=env) for log in logs]
        for each in both:
            each.wait_until(lambda log=each.log: WAITING in log.read_text(), "say that it waits")
    assert [each.popen.wait(processes.PATIENCE) for each in both] == [0, 0]
    told = sorted((log.read_text() for log in logs), key=len)
    assert "No migrations to apply" in told[0]
    assert "Applying accounts.0001_initial" in told[1]


def test_two_that_start_at_once_on_sqlite_take_turns_too(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env, log = kept | {"DATA_DIR": str(tmp_path)}, tmp_path / "log"
    with (tmp_path / "migrate.lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = processes.start("migrate", [*MIGRATE, "contenttypes"], log=log, env=env)
        second.wait_until(lambda: WAITING in log.read_text(), "say that it waits")
        assert second.popen.poll() is None
    assert second.popen.wait(processes.PATIENCE) == 0
