"""The installation under test: two nodes of each of our processes, on PostgreSQL, Redis and a registry."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from accounts.common import secret_files
from tests.load.soak.supervisor import Kept, Supervisor
from tests.parts import install, postgres, processes, registries

METRICS_KEY = "k" * 40
WORLD = (Path(__file__).parent / "world.py").read_text()


@dataclass
class House:
    """`url`: of the hop, where everybody comes in. `users`: of each its name, password and repositories."""

    folder: Path
    env: dict[str, str]
    url: str
    registry: str
    version: registries.Version
    database: str
    ports: dict[str, int]
    supervisor: Supervisor
    users: list[dict[str, Any]] = field(default_factory=list)
    odd: dict[str, Any] = field(default_factory=dict)
    cookie: str = ""

    @property
    def told(self) -> Path:
        return self.folder / "told.jsonl"

    @property
    def passed(self) -> Path:
        """Of the hop: each request for a token that it passed on."""
        return self.folder / "passed.jsonl"

    @property
    def storage(self) -> Path:
        return self.folder / "data" / "registry" / "docker/registry/v2/repositories"

    def shell(self, code: str) -> str:
        return manage(self.env, "shell", "--verbosity", "0", "--command", code)

    def python(self, name: str, **spec: Any) -> processes.Running:
        """One of our programs, beside."""
        module, _dash, _number = name.partition("-")
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(spec))
        command = [sys.executable, "-m", f"tests.load.{module}", path]
        return processes.start(name, command, log=self.folder / f"{name}.log", env=self.env)


@contextmanager
def running(folder: Path, version: registries.Version, seed: int) -> Iterator[House]:
    """Once everything answers and the first check has read the registry."""
    names = ("hop", "registry", "redis", "web1", "web2", "tokens1", "tokens2", "receiver")
    ports = {name: processes.free_port() for name in names}
    with ExitStack() as stack:
        database = stack.enter_context(postgres.running())
        env = environment(folder, ports, database)
        for words in ("init_data_dir", "migrate --verbosity 0", "collectstatic --no-input --verbosity 0"):
            manage(env, *words.split())
        secret_files.create(folder / "data" / "secrets" / "metrics.key", METRICS_KEY.encode())
        house = House(
            folder, env, f"http://localhost:{ports['hop']}", f"http://localhost:{ports['registry']}", version,
            database, ports, Supervisor(seed),
        )  # fmt: skip
        made = json.loads(house.shell(WORLD).split("MADE ")[1])
        house.users, house.odd, house.cookie = made["users"], made["odd"], made["cookie"]
        hop = house.python("soak.hop", port=ports["hop"], told=str(house.told), passed=str(house.passed),
                           web=[ports["web1"], ports["web2"]], tokens=[ports["tokens1"], ports["tokens2"]])  # fmt: skip
        stack.callback(hop.stop)
        heard = str(folder / "heard.jsonl")
        receiver = house.python("soak.receiver", port=ports["receiver"], heard=heard)
        stack.callback(receiver.stop)
        stack.callback(house.supervisor.stop)
        for name, command in commands(house).items():
            house.supervisor.add(
                Kept(name, command, registry_env(env) if name == "registry" else env, folder)
            )
        if not house.supervisor.watch(180, lambda: answers(house)):
            sys.exit(f"not all of it answers; see the logs in {folder}")
        yield house


def environment(folder: Path, ports: dict[str, int], database: str) -> dict[str, str]:
    hop = f"localhost:{ports['hop']}"
    return os.environ | {
        "DATA_DIR": str(folder / "data"), "DATABASE_URL": database, "TMPDIR": str(folder),
        "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "PUBLIC_URL": f"http://{hop}", "EVENTS_URL": f"http://{hop}/registry/events", "TRUSTED_PROXY_COUNT": "1",
        "REGISTRY_PORT": str(ports["registry"]), "TOKEN_SERVICE": "soak",
        "WEBHOOK_NETWORKS": "127.0.0.0/8", "SOAK_RECEIVER": f"http://127.0.0.1:{ports['receiver']}/hook",
        "SYNC_INTERVAL_SECONDS": "60", "LOG_LEVEL": "WARNING", "API_CALLS_PER_MINUTE": "0",
    }  # fmt: skip


def commands(house: House) -> dict[str, list[str | Path]]:
    """In production's words, each as compose.yaml has it."""
    data, ports = house.folder / "data", house.ports
    celery = [sys.executable, "-m", "celery", "--app", "manager", "--quiet"]
    found: dict[str, list[str | Path]] = {
        "redis": [install.program("redis-server"), "--bind", "127.0.0.1", "--port", str(ports["redis"]),
                  "--save", "", "--appendonly", "no", "--dir", house.folder],
        "registry": [registries.binary(house.version), "serve", data / "registry-config" / "registry.yml"],
    }  # fmt: skip
    for node in ("1", "2"):
        for server, more in (("web", []), ("tokens", ["--workers", "2"])):
            port = str(ports[f"{server}{node}"])
            found[f"{server}{node}"] = [sys.executable, "-m", "manager.server", server, "--port", port, *more]
        found[f"worker{node}"] = [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING", "--without-gossip",
                                  "--without-mingle", "--hostname", f"worker{node}@soak"]  # fmt: skip
        found[f"beat{node}"] = [*celery, "beat", "--pidfile=", "--loglevel", "WARNING"]
    return found


def registry_env(env: dict[str, str]) -> dict[str, str]:
    """Each REGISTRY_… variable would override its file."""
    kept = {name: value for name, value in env.items() if not name.startswith("REGISTRY_")}
    return kept | {"OTEL_TRACES_EXPORTER": "none"}


def answers(house: House) -> bool:
    """The token shows that the server of tokens is there, the light that workers and schedule are."""
    user = house.users[0]
    try:
        query = {"service": "soak", "scope": f"repository:{user['repositories'][0]}:pull"}
        auth = (user["username"], user["password"])
        token = requests.get(f"{house.url}/auth/token", params=query, auth=auth, timeout=10)
        state = requests.get(f"{house.url}/api/v1/sync/", headers={"Cookie": house.cookie}, timeout=10)
        return token.ok and state.json()["state"] == "live" and requests.get(house.registry, timeout=10).ok
    except (requests.RequestException, ValueError):
        return False


def manage(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=env, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{words[:1]} failed:\n{done.stderr[-3000:]}")
    return done.stdout
