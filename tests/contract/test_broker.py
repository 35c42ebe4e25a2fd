"""Celery over a real Redis: beat publishes, the worker syncs, and a Redis that comes back is found again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import fixtures, processes, redis

pytestmark = pytest.mark.broker
QUESTION = (
    "from registry_sync.models import SyncRun; print(SyncRun.objects.exclude(finished_at=None).count())"
)


def test_runs_are_made_over_redis_and_again_after_it_was_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fixtures.need("redis")
    server = redis.start(tmp_path)
    try:
        env = os.environ | {"DATA_DIR": str(data), "REDIS_URL": server.url, "SYNC_INTERVAL": "2",
                            "REGISTRY_PORT": str(processes.free_port())}  # fmt: skip
        manage(env, "prepare")
        manage(env, "migrate")
        command = [sys.executable, "-m", "celery", "-A", "manager", "worker", "--beat", "--pool", "threads",
                   "--concurrency", "1", "--schedule", str(tmp_path / "schedule")]  # fmt: skip
        worker = processes.start("worker", command, log=tmp_path / "worker.log", env=env)
        try:
            worker.wait_until(lambda: runs(env) >= 1, "finish a run")
            server.restart()
            before = runs(env)
            worker.wait_until(lambda: runs(env) > before + 1, "finish runs again")
        finally:
            worker.stop()
    finally:
        server.stop()


def runs(env: dict[str, str]) -> int:
    return int(manage(env, "shell", "--verbosity", "0", "--command", QUESTION).split()[-1])


def manage(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout
