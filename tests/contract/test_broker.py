"""Celery over a real Redis: beat publishes, the worker syncs, and a Redis that comes back is found again."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.parts import fixtures, processes, redis, team

pytestmark = pytest.mark.broker
QUESTION = "SELECT count(*) FROM registry_sync_syncrun WHERE finished_at IS NOT NULL"


def test_runs_are_made_over_redis_and_again_after_it_was_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fixtures.need("redis")
    server = redis.start(tmp_path)
    try:
        env = os.environ | {
            "DATA_DIR": str(data),
            "REDIS_URL": server.url,
            "SYNC_INTERVAL_SECONDS": "2",
            "REGISTRY_PORT": str(processes.free_port()),
        }
        team.install(env)
        command = [sys.executable, "-m", "celery", "-A", "manager", "worker", "--beat", "--pool", "threads",
                   "--concurrency", "1"]  # fmt: skip
        worker = processes.start("worker", command, log=tmp_path / "worker.log", env=env)
        try:
            worker.wait_until(lambda: runs(data) >= 1, "finish a run")
            server.restart()
            before = runs(data)
            worker.wait_until(lambda: runs(data) > before + 1, "finish runs again")
        finally:
            worker.stop()
    finally:
        server.stop()


def runs(data: Path) -> int:
    with closing(sqlite3.connect(data / "db.sqlite3", timeout=processes.PATIENCE)) as database:
        return int(database.execute(QUESTION).fetchone()[0])
