"""Each part stops in turn while people push; once it is back, the inventory is the registry again by itself.

The whole set as `make run` starts it, on a real PostgreSQL and a real Redis.
"""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from manager.demo.push_client import CONFIG, LAYER, MANIFEST, Pusher
from tests.parts import fixtures, postgres, processes, redis, team

pytestmark = [pytest.mark.contract, pytest.mark.broker]


@dataclass
class Set:
    panel: str
    registry: str
    data: Path
    database: postgres.Cluster
    broker: redis.RunningRedis
    running: processes.Running
    username: str
    password: str
    token: str

    def push(self, tag: str) -> str:
        """Through challenge and token, as any client; returns the digest."""
        pusher = Pusher(self.registry, "team/app", self.username, self.password)
        return self.put(pusher, tag)

    def put(self, pusher: Pusher, tag: str) -> str:
        config = pusher.blob(CONFIG, b'{"architecture": "amd64", "os": "linux"}')
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                    "layers": [pusher.blob(LAYER, b"layer")], "annotations": {"tag": tag}}  # fmt: skip
        return str(pusher.manifest(document, tag)["digest"])

    def shown(self) -> dict[str, str]:
        """tag → digest, as the API shows it now; nothing while it does not answer."""
        answer = requests.get(
            f"{self.panel}/api/v1/accounts/team/namespaces/team/images/app/-/tags/",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=120,
        )
        if answer.status_code != requests.codes.ok:
            return {}
        return {row["name"]: row["digest"] for row in answer.json()["results"]}

    def told(self, name: str) -> int:
        """The answer to an event, within the registry's patience; 0 for none."""
        key = (self.data / "secrets" / "hook.key").read_text()
        event = {"id": name, "action": "pull", "target": {"repository": "team/app"}}
        try:
            return requests.post(
                f"{self.panel}/registry/events",
                json={"events": [event]},
                timeout=5,
                headers={"Authorization": f"Bearer {key}"},
            ).status_code
        except requests.Timeout:
            return 0

    def tells(self, status: int, *names: str) -> None:
        """Each of these events is answered so. A busy machine may need some more attempts, as the registry makes."""
        for name in names:
            self.running.wait_until(lambda name=name: self.told(name) == status, f"{status} to {name}")

    def comes_true(self, truth: dict[str, str]) -> None:
        self.running.wait_until(lambda: self.shown() == truth, f"show {sorted(truth)}")


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[Set]:
    fixtures.need("redis", "postgresql")
    ports = processes.ports()
    broker, log = redis.start(tmp_path), tmp_path / "run.log"
    with postgres.cluster() as database:
        kept = {name: value for name, value in os.environ.items() if name != "SECRETS_DIR"}
        env = kept | {
            "DATA_DIR": str(tmp_path / "data"),
            **ports,
            "DATABASE_URL": database.patient_url,
            "REDIS_URL": broker.url,
            "SYNC_INTERVAL_SECONDS": "5",
        }
        running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=env)
        try:
            running.wait_until(lambda: "ready:" in log.read_text(), "say ready")
            yield Set(
                f"http://localhost:{ports['PORT']}", f"http://localhost:{ports['REGISTRY_PORT']}", tmp_path / "data",
                database, broker, running, *team.make(env),
            )  # fmt: skip
        finally:
            running.stop()
            broker.stop()


def test_the_inventory_outlives_each_part(everything: Set) -> None:
    truth = {"before": everything.push("before")}
    everything.comes_true(truth)

    everything.broker.stop()
    truth["without-redis"] = everything.push("without-redis")  # tokens and events need no broker
    everything.running.wait_until(lambda: "before" in everything.shown(), "show what is known")
    everything.tells(202, "without-redis")
    everything.broker.restart()
    everything.comes_true(truth)

    hanging = everything.broker.process.popen
    hanging.send_signal(signal.SIGSTOP)
    try:
        truth["hanging-redis"] = everything.push("hanging-redis")
        everything.tells(202, *(f"hanging-{n}" for n in range(3)))
    finally:
        hanging.send_signal(signal.SIGCONT)
    everything.comes_true(truth)

    pusher = Pusher(everything.registry, "team/app", everything.username, everything.password)
    everything.database.stop()
    truth["without-database"] = everything.put(pusher, "without-database")  # with the token from before
    assert requests.get(f"{everything.panel}/readyz", timeout=120).status_code == 503
    assert requests.get(f"{everything.panel}/auth/token", timeout=120).status_code < 504
    everything.tells(503, "without-database")
    page = requests.get(f"{everything.panel}/nowhere/", timeout=120, cookies={"panel_session": "x" * 32})
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "The panel cannot reach its database at the moment." in page.text
    everything.database.restart()
    everything.comes_true(truth)
