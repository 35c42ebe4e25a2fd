"""PostgreSQL behind a real PgBouncer, which gives each transaction another connection."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import requests

from tests.contract.test_serving_tokens import served_on
from tests.parts import fixtures, pgbouncer, postgres, processes, team

pytestmark = [pytest.mark.contract, pytest.mark.long]
OPERATOR = "the panel is not configured for it: set DATABASE_POOLER."
# Two workers that each read their own query a row at a time, while others take turns on the same connections.
READERS = """
from concurrent.futures import ThreadPoolExecutor
from django.contrib.auth.models import Permission
from django.db import connection
from registry_sync.models import Repository
Repository.objects.bulk_create([Repository(name=f"space/{n}") for n in range(50)])
def names(_round):
    try:
        return {"/" in name for name in Repository.objects.values_list("name", flat=True).iterator(1)}
    finally:
        connection.close()
def codes(_round):
    try:
        return {"/" in name for name in Permission.objects.values_list("codename", flat=True).iterator(1)}
    finally:
        connection.close()
with ThreadPoolExecutor(6) as pool:
    found = [*pool.map(names, range(40))], [*pool.map(codes, range(40))]
Repository.objects.filter(name__startswith="space/").delete()
print("READ", {str(each) for each in found[0]}, {str(each) for each in found[1]})
"""
RUNS = """
SELECT count(*) FILTER (WHERE state = 'done'), array_agg(problem) FILTER (WHERE problem != '')
FROM registry_sync_syncrun WHERE started_at > %s
"""
LIMIT = """
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
limits = set()
for _each in range(20):
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        limits.add(cursor.fetchone()[0])
print("LIMITS", limits)
"""
ROLE = ("ALTER ROLE postgres SET statement_timeout = 10000", "ALTER ROLE postgres SET lock_timeout = 2000")
# Each is waited for: until it has ended, the pooler goes on giving it out.
RESTART = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Cluster]:
    fixtures.need("postgresql", "pgbouncer")
    with postgres.cluster() as made:
        yield made


def environment(folder: Path, url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "SECRETS_DIR"}
    return kept | {"DATA_DIR": str(folder / "data"), "DATABASE_URL": url} | more


@pytest.fixture(scope="module")
def env(database: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An installation behind the pooler as Debian installs it, set up as docs/operations.md says."""
    with psycopg.connect(database.url, autocommit=True) as owner:
        for command in ROLE:
            owner.execute(command)
    with pgbouncer.in_front_of(database) as url:
        env = environment(tmp_path_factory.mktemp("panel"), url, DATABASE_POOLER="transaction")
        team.install(env)
        yield env


@pytest.mark.parametrize(
    "more", [{}, {"ignore_startup_parameters": "options"}], ids=["as installed", "ignoring"]
)
def test_without_the_setting_everything_says_what_is_wrong(
    database: postgres.Cluster, tmp_path: Path, more: Mapping[str, str]
) -> None:
    with pgbouncer.in_front_of(database, **more) as url:
        env = environment(tmp_path, url)
        team.manage(env, "init_data_dir")
        for words in (["migrate"], ["doctor"]):
            done = subprocess.run(
                [sys.executable, "manage.py", *words], env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 1
            assert "DATABASE_POOLER" in done.stdout + done.stderr
            assert "Traceback" not in done.stdout + done.stderr
        assert "DATABASE_POOLER=transaction" in done.stdout
        port = processes.free_port()
        server = processes.start("web", served_on(port, "web"), log=tmp_path / "log", env=env)
        try:
            server.wait_until(lambda: processes.http_answers(f"http://127.0.0.1:{port}/healthz"), "answer")
            ready = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=processes.PATIENCE)
            assert (ready.status_code, ready.json()["database"][-len(OPERATOR) :]) == (503, OPERATOR)
        finally:
            server.stop(seconds=30)


def test_tokens_and_pages_through_it(env: dict[str, str], tmp_path: Path) -> None:
    username, password, token = team.make(env)
    team.manage(env, "collectstatic", "--no-input", "--verbosity", "0")
    ports = {service: processes.free_port() for service in ("web", "tokens")}
    servers = [
        processes.start(service, served_on(port, service), log=tmp_path / service, env=env)
        for service, port in ports.items()
    ]
    at, door = (f"http://127.0.0.1:{port}" for port in ports.values())

    def ask(number: int) -> tuple[str, int]:
        way = ("token", "page", "api", "ready")[number % 4]
        if way == "token":
            words = {"service": "localhost:5000", "scope": "repository:team/app:pull,push"}
            answer = requests.get(f"{door}/auth/token", params=words, auth=(username, password), timeout=120)
        elif way == "page":
            answer = requests.get(f"{at}/me/login/", cookies={"panel_session": "x" * 32}, timeout=120)
        elif way == "api":
            answer = requests.get(
                f"{at}/api/v1/accounts/", headers={"Authorization": f"Bearer {token}"}, timeout=120
            )
        else:
            answer = requests.get(f"{at}/readyz", timeout=120)
        return way, answer.status_code

    try:
        for server, url in zip(servers, (at, door), strict=True):
            server.wait_until(lambda url=url: processes.http_answers(f"{url}/readyz"), "answer")
        with ThreadPoolExecutor(8) as clients:
            answers = Counter(clients.map(ask, range(800)))
    finally:
        for server in servers:
            server.stop(seconds=30)
    assert answers == {("token", 200): 200, ("page", 200): 200, ("api", 200): 200, ("ready", 200): 200}


def test_nobody_reads_the_rows_of_another(env: dict[str, str]) -> None:
    assert "READ {'{True}'} {'{False}'}" in team.shell(env, READERS)


def test_panel_worker_and_sync_through_it(
    env: dict[str, str], database: postgres.Cluster, tmp_path: Path
) -> None:
    log, env = tmp_path / "run.log", env | processes.ports() | {"SYNC_INTERVAL_SECONDS": "2"}
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=env)

    def many_runs() -> bool:
        with psycopg.connect(database.url) as owner:
            done, problems = owner.execute(RUNS, [pushed_at]).fetchone() or (0, None)
        assert problems is None
        return done > 10

    try:
        running.wait_until(lambda: "ready:" in log.read_text(), "say ready")
        assert "sign in" in team.manage(env, "demo")
        pushed_at = datetime.now(UTC)  # before, a run may meet a tag that is half written
        running.wait_until(many_runs, "sync")
        # What answers late on a busy machine is a finding, too.
        running.wait_until(
            lambda: "No check failed; 1 not run yet." in doctor(env), "a doctor that finds nothing"
        )
    finally:
        running.stop(seconds=30)
    assert "ERROR" not in log.read_text()


def doctor(env: Mapping[str, str]) -> str:
    command = [sys.executable, "manage.py", "doctor"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout


def test_migrate_leaves_the_limits_of_others_alone(env: dict[str, str]) -> None:
    assert "LIMITS {'10s'}" in team.shell(env, LIMIT)


def test_the_doctor_sees_limits_that_the_pooler_dropped(
    env: dict[str, str], database: postgres.Cluster
) -> None:
    def change(command: str) -> None:
        with psycopg.connect(database.url, autocommit=True) as owner:
            owner.execute(command)
            owner.execute(RESTART, [processes.PATIENCE * 1000])

    assert "✓ Time limits" in doctor(env)
    change("ALTER ROLE postgres RESET lock_timeout")
    seen = doctor(env)
    change(ROLE[1])
    assert "! Time limits: lock_timeout is 0 ms" in seen
    assert 'ALTER ROLE "postgres" SET lock_timeout = 2000;' in seen
    assert "✓ Time limits" in doctor(env)
