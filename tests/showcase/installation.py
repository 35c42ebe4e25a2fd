"""One installation in production's settings: two servers of each kind behind nginx with TLS, and all they need."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.restarts import Login
from tests.parts import certificates, install, postgres, processes, proxies, redis, registries
from tests.parts.clients import Client
from tests.parts.team import CODE

SERVERS = ("web1", "web2", "tokens1", "tokens2")
OURS = (*SERVERS, "worker1", "worker2", "beat")
SERVICE = "localhost:5000"  # as tests.load.restarts asks for it
REPOSITORY = "team/app"
PASSPHRASE = "a horse, a battery and a staple"


@dataclass
class Installation:
    """`source`: of the build that our processes run. `running`: they, and the registry."""

    folder: Path
    env: dict[str, str]
    ports: dict[str, int]
    database: postgres.Cluster
    redis: redis.RunningRedis
    files: certificates.Files
    source: Path = install.ROOT
    running: dict[str, processes.Running] = field(default_factory=dict)
    login: Login = field(default_factory=lambda: Login("", "", ""))

    @property
    def url(self) -> str:
        return self.env["PUBLIC_URL"]

    @property
    def data(self) -> Path:
        return Path(self.env["DATA_DIR"])

    @property
    def passphrase(self) -> Path:
        """It stands outside what is wiped, as a vault does."""
        return self.folder / "passphrase"

    def prepare(self) -> None:
        """As compose's `prepare` and `migrate` do."""
        self.manage("init_data_dir")
        self.manage("migrate", "--no-input", "--verbosity", "0")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def make_team(self) -> None:
        """An account with a namespace and a user who may write."""
        self.login = Login(*self.shell(CODE).split("MADE ")[1].split())

    def start(self, *names: str, **more: str) -> None:
        """`more`: settings for these processes alone."""
        for name in names:
            env = registries.environment() if name == "registry" else self.env
            log = self.folder / f"{name}.log"
            self.running[name] = processes.start(
                name, self.command(name), log=log, env={**env, **more}, cwd=self.source
            )
        for name in names:
            self.wait_for(name)

    def stop(self, *names: str) -> None:
        for name in names:
            self.running[name].popen.send_signal(self.running[name].goodbye)
        for name in names:
            self.running.pop(name).stop()

    def wait_for(self, name: str) -> None:
        path = "/" if name == "registry" else "/readyz"
        if name in self.ports:
            url = f"http://127.0.0.1:{self.ports[name]}{path}"
            self.running[name].wait_until(lambda: processes.http_answers(url), "answer")

    def command(self, name: str) -> list[str | Path]:
        """In the words of compose.yaml."""
        kind, celery = name.rstrip("12"), [sys.executable, "-m", "celery", "--app", "manager", "--quiet"]
        match kind:
            case "registry":
                return [registries.binary("3.1"), "serve", self.data / "registry-config" / "registry.yml"]
            case "worker":
                words = [
                    "--concurrency",
                    "1",
                    "--loglevel",
                    "WARNING",
                    "--without-gossip",
                    "--without-mingle",
                ]
                return [*celery, "worker", *words, "--hostname", f"{name}@showcase"]
            case "beat":
                return [*celery, "beat", "--pidfile=", "--loglevel", "WARNING"]
        return [
            sys.executable,
            "-m",
            "manager.server",
            kind,
            "--port",
            str(self.ports[name]),
            "--workers",
            "1",
        ]

    def manage(self, *words: str | Path, **more: str) -> str:
        """Return what it printed; whatever ends with an error is PartError."""
        done = self.ask(*words, **more)
        if done.returncode:
            raise processes.PartError(f"{words[0]} ended with {done.returncode}.\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *map(str, words)]
        env = {**self.env, **more}
        return subprocess.run(command, env=env, cwd=self.source, check=False, capture_output=True, text=True)

    def shell(self, code: str) -> str:
        return self.manage("shell", "--verbosity", "0", "--command", code)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        self.redis.process.wait_until(holds, what)

    def skopeo(self) -> Client:
        """Signed in, with the password on its standard input; it trusts the proxy's certificate and no other."""
        home = self.folder / "skopeo"
        home.mkdir(exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "REGISTRY_AUTH_FILE": str(home / "auth.json")}
        client = Client((install.program("skopeo"),), env | {"SSL_CERT_FILE": str(self.files.authority)})
        client(
            "login",
            "--username",
            self.login.username,
            "--password-stdin",
            self.host,
            stdin=self.login.password,
        )
        return client

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")

    def wipe(self) -> None:
        """All that the panel has on this machine, and the database. Images are the registry's, and stay."""
        for each in self.data.iterdir():
            if each.name != "registry":
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        psql = [install.program("psql"), "--quiet", self.database.url, "--command"]
        subprocess.run(
            [*psql, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"], check=True, capture_output=True
        )
        self.redis.restart()


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """With nothing of ours started yet, but PostgreSQL, Redis and nginx."""
    ports = {name: processes.free_port() for name in (*SERVERS, "registry", "proxy")}
    files = certificates.make(folder / "nginx", hosts=["localhost"])
    # What asks here, and in the processes that are started here.
    os.environ |= {"REQUESTS_CA_BUNDLE": str(files.authority), "SSL_CERT_FILE": str(files.authority)}
    at = proxies.Upstreams(
        web=(ports["web1"], ports["web2"]),
        tokens=(ports["tokens1"], ports["tokens2"]),
        registry=ports["registry"],
    )
    with postgres.cluster() as database:
        memory = redis.start(folder)
        nginx = proxies.start_tls(folder / "nginx", ports["proxy"], at)
        env = environment(folder, ports, database, memory)
        found = Installation(folder, env, ports, database, memory, files)
        found.passphrase.write_text(PASSPHRASE)
        found.passphrase.chmod(0o600)
        try:
            yield found
        finally:
            found.stop(*reversed(found.running))
            nginx.stop()
            memory.stop()


def environment(
    folder: Path, ports: dict[str, int], database: postgres.Cluster, memory: redis.RunningRedis
) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    return kept | {
        "ENVIRONMENT": "production", "DATA_DIR": str(folder / "data"), "DATABASE_URL": database.url,
        "REDIS_URL": memory.url, "PUBLIC_URL": f"https://localhost:{ports['proxy']}", "TRUSTED_PROXY_COUNT": "1",
        "REGISTRY_URL": f"http://127.0.0.1:{ports['registry']}", "TOKEN_SERVICE": SERVICE,
        "EVENTS_URL": f"http://127.0.0.1:{ports['web1']}/registry/events", "WEBHOOK_NETWORKS": "127.0.0.0/8",
        "REGISTRY_PORT": str(ports["registry"]), "LOG_LEVEL": "WARNING", "API_CALLS_PER_MINUTE": "0",
        "SYNC_INTERVAL_SECONDS": "30",
    }  # fmt: skip
