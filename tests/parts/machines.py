"""An installation on two machines: all that docs/several-machines.md says, as processes.

Each machine has a data folder of its own with the keys of the first, and runs the commands of compose.yaml: web,
tokens, worker, scheduler and a registry. They share PostgreSQL, a Redis of the panel, a Redis of the registries, an
object storage, and two proxies: everybody comes in through the first that they know.
"""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.parts import install, postgres, processes, proxies, redis, registries, s3, team, traffic
from tests.parts.mail_server import MailServer, mail_server

ROOT = install.ROOT
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
SERVED = ("web", "tokens", "registry")  # through the proxy
KINDS = (*SERVED, "worker", "scheduler")
NEEDED = ("postgresql", "redis", "registry 3.1", "object storage")
WORLD = team.CODE.replace('level="write"', 'level="admin"')  # may delete too


@dataclass
class Machine:
    """`running`: its processes by kind; one that was never started is missing."""

    number: int
    folder: Path
    env: dict[str, str]
    storage: dict[str, str]  # what its registry is told beside its file
    ports: dict[str, int]
    running: dict[str, processes.Running] = field(default_factory=dict)

    def start(self, *kinds: str, env: Mapping[str, str] | None = None, before: tuple[str, ...] = ()) -> None:
        """Each in its own words of compose.yaml, after `before`."""
        for kind in kinds or KINDS:
            own = registries.environment() | self.storage if kind == "registry" else self.env
            log = self.folder / f"{kind}.log"
            command = [*before, *self.command(kind)]
            self.running[kind] = processes.start(
                f"{kind}{self.number}", command, log=log, env={**own, **(env or {})}
            )

    def command(self, kind: str) -> list[str | Path]:
        if kind == "registry":
            return [registries.binary("3.1"), "serve", self.folder / "registry-config" / "registry.yml"]
        if kind == "web":
            words = json.loads(
                re.findall(r"^CMD (\[.*\])", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
            )
        else:
            words = COMPOSE[kind]["command"]
        here = {"0.0.0.0": "127.0.0.1", "2": "1"}  # noqa: S104 (of each process one: there are two machines)
        words = [here.get(word, word) for word in words]
        if words[0] == "python":
            return [sys.executable, *words[1:], "--port", str(self.ports[kind])]
        named = ["--hostname", f"worker@machine{self.number}"] if kind == "worker" else []
        return [sys.executable, "-m", *words, *named]

    def answers(self) -> bool:
        return all(
            processes.http_answers(f"http://127.0.0.1:{self.ports[kind]}{path}")
            for kind, path in {"web": "/readyz", "tokens": "/readyz", "registry": "/"}.items()
            if kind in self.running
        )

    def listens(self) -> bool:
        return any(processes.tcp_answers(self.ports[kind]) for kind in SERVED)

    def kill(self, *kinds: str) -> None:
        """As when the power fails: all at once, and nobody says goodbye."""
        for kind in kinds or tuple(self.running):
            os.killpg(self.running[kind].popen.pid, signal.SIGKILL)
        for kind in kinds or tuple(self.running):
            self.running.pop(kind).popen.wait()

    def stop(self, *kinds: str) -> None:
        for kind in kinds or tuple(self.running):
            self.running[kind].popen.send_signal(signal.SIGTERM)
        for kind in kinds or tuple(self.running):
            self.running.pop(kind).stop()

    def shell(self, code: str) -> str:
        return team.shell(self.env, code)


@dataclass
class Installation:
    """`fronts`: the proxies' names and URLs, of which the first is PUBLIC_URL. `machines`: two."""

    folder: Path
    fronts: dict[str, str]
    machines: list[Machine]
    database: postgres.Cluster
    redis: redis.RunningRedis
    registries_redis: redis.RunningRedis
    store: s3.RunningStore
    mail: MailServer
    username: str
    password: str
    api_token: str

    @property
    def url(self) -> str:
        return next(iter(self.fronts.values()))

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        self.store.process.wait_until(ready, what)

    def api(self, method: str, path: str, **body: Any) -> Any:
        """The answer of the account's API, through the first proxy.

        Empty while there is no such thing, or while who only reads is told to come again.
        """
        headers = {"Authorization": f"Bearer {self.api_token}"}
        url = f"{self.url}/api/v1/accounts/team/{path}"
        answer = requests.request(method, url, headers=headers, json=body or None, timeout=120)
        if answer.status_code == requests.codes.not_found:
            return {}
        if method == "GET" and answer.status_code in (502, 503, 504):
            return {}
        answer.raise_for_status()
        return answer.json()

    def all_answer(self) -> bool:
        return all(machine.answers() for machine in self.machines)


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """Once both machines answer."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres.cluster())
        ours, theirs = (redis.start(made(folder / name)) for name in ("redis", "registries-redis"))
        stack.callback(ours.stop)
        stack.callback(theirs.stop)
        store, mail = stack.enter_context(s3.running(folder)), stack.enter_context(mail_server())
        ports = [{kind: processes.free_port() for kind in SERVED} for _each in range(2)]
        at = proxies.Upstreams(**{kind: tuple(each[kind] for each in ports) for kind in SERVED})
        fronts = {}
        for name in proxies.OF_MACHINES:
            proxy, port = proxies.start(name, made(folder / name), at)
            stack.callback(proxy.stop)
            fronts[name] = f"http://localhost:{port}"
        address = next(iter(fronts.values()))
        machines = [
            Machine(
                number,
                folder / str(number),
                environment(folder / str(number), own, address, database.patient_url, ours.url)
                | {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}"},
                registry_settings(store, theirs),
                own,
            )
            for number, own in enumerate(ports, 1)
        ]
        words = prepared(*machines)
        for machine in machines:
            stack.callback(machine.stop)
            machine.start()
        whole = Installation(folder, fronts, machines, database, ours, theirs, store, mail, *words)
        whole.wait_until(whole.all_answer, "answer of both machines")
        yield whole


def prepared(first: Machine, second: Machine) -> list[str]:
    """Make the first, and the second with its keys. Return username, password and API token."""
    words = team.install(first.env, WORLD).split("MADE ")[1].split()
    keys = shutil.ignore_patterns("leaf.pem")
    shutil.copytree(first.folder / "secrets", second.folder / "secrets", ignore=keys)
    team.manage(second.env, "init_data_dir", "--no-new-keys")
    for machine in (first, second):
        team.manage(machine.env, "collectstatic", "--no-input", "--verbosity", "0")
    return words


def environment(
    folder: Path, ports: Mapping[str, int], address: str, database: str, queue: str
) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    return kept | {
        "DATA_DIR": str(folder), "DATABASE_URL": database, "REDIS_URL": queue,
        "PUBLIC_URL": address, "REGISTRY_HOST": address.removeprefix("http://"), "TOKEN_SERVICE": traffic.SERVICE,
        "EVENTS_URL": f"http://127.0.0.1:{ports['web']}/registry/events", "REGISTRY_PORT": str(ports["registry"]),
        "TRUSTED_PROXY_COUNT": "1", "LOG_LEVEL": "WARNING", "API_CALLS_PER_MINUTE": "0", "SYNC_INTERVAL_SECONDS": "10",
    }  # fmt: skip


def registry_settings(store: s3.RunningStore, memory: redis.RunningRedis, **chosen: str) -> dict[str, str]:
    """What deploy/compose.machines.yaml tells the registry, filled in; `chosen`: in place of its defaults."""
    text = (ROOT / "deploy/compose.machines.yaml").read_text()
    found = dict(re.findall(r"^ +(REGISTRY_\w+): (.*?)(?: #.*)?$", text, re.MULTILINE))
    section = store.section
    values = {
        "S3_BUCKET": section["bucket"], "S3_REGION": section["region"], "S3_ENDPOINT": section["regionendpoint"],
        "S3_ACCESS_KEY": section["accesskey"], "S3_SECRET_KEY": section["secretkey"],
        "REGISTRIES_REDIS": f"127.0.0.1:{memory.port}", **chosen,
    }  # fmt: skip
    shipped = COMPOSE["registry"]["environment"]
    return {"REGISTRY_HTTP_DRAINTIMEOUT": shipped["REGISTRY_HTTP_DRAINTIMEOUT"]} | {
        name: re.sub(
            r"\$\{(\w+)(?::-([^}]*))?[^}]*\}", lambda asked: values.get(asked[1], asked[2]), text
        ).strip('"')
        for name, text in found.items()
    }


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
