"""What a token costs, beside the same server answering nothing, and a bare signature: `python -m tests.load.tokens`."""

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.load.installation import environment, manage
from tests.load.usage import cpu
from tests.parts import postgres, processes

SECONDS = "3s"
SERVICE = "localhost:5000"
SERVER_CORE, CLIENT_CORE = "0", "1"
HEAD = f"""\
TOKENS for a user with 200 grants. One Granian worker of one thread on core {SERVER_CORE}; on core {CLIENT_CORE} wrk,
and PostgreSQL, asked over TCP. CPU: what one request takes of a core, in server and database together, and
how many fill one; that is the same on a busy machine. Of ok, of signature: as much of it goes to the same
server answering a bare "ok", or a bare signed token."""


@dataclass(frozen=True)
class Load:
    rate: float
    p99: str
    requests: int

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s p99 {self.p99}"


@dataclass(frozen=True)
class Server:
    url: str
    pids: tuple[int, ...]  # of the server, and of its database's


def measure(folder: Path) -> None:
    print(HEAD)
    print(f"{'':<24}{'4 connections':>24}{'32 connections':>24}{'CPU':>20}{'of ok':>14}{'of signature':>14}")
    bare = environment(folder / "sqlite", "")
    with serving("tests.load.servers:ok", bare) as server:
        ok = row("bare ok", server, "", {}, [])
    with serving("tests.load.servers:signed", bare) as server:
        signed = row("bare signature", server, "", {}, [ok])
    _tokens("SQLite", bare, (), [ok, signed])
    with postgres.cluster() as cluster:
        postmaster = cluster.process.popen.pid
        subprocess.run(["taskset", "-pc", CLIENT_CORE, str(postmaster)], check=True, capture_output=True)
        _tokens("PostgreSQL", environment(folder / "postgresql", cluster.url), (postmaster,), [ok, signed])
    print("statements per token request: 1, prepared (asserted in tests/django/registry_sync)\n")


def _tokens(name: str, env: dict[str, str], database: tuple[int, ...], beside: list[float]) -> None:
    manage(env, "migrate", "--verbosity", "0")
    world = (Path(__file__).parent / "world.py").read_text()
    username, password = manage(env, "shell", "--verbosity", "0", "--command", world).split()[-2:]
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    with serving("", env, database) as server:
        for count in (1, 10, 200):
            pairs = [(n % 20, (n + n // 20) % 10) for n in range(count)]
            scopes = [("scope", f"repository:space{space}/image{image}:pull,push") for space, image in pairs]
            query = urlencode([("service", SERVICE), *scopes])
            label = f"{count} scope{'s' if count > 1 else ''}, {name}"
            row(label, server, f"auth/token?{query}", {"Authorization": f"Basic {basic}"}, beside)


def row(label: str, server: Server, path: str, headers: dict[str, str], beside: list[float]) -> float:
    """Prints one line; returns the CPU seconds of one request."""
    url = server.url + path
    load(url, headers, 4)  # warm
    few, before = load(url, headers, 4), cpu(*server.pids)
    many = load(url, headers, 32)
    cost = (cpu(*server.pids) - before) / many.requests
    shares = "".join(f"{each / cost:>14.0%}" for each in beside)
    whole = f"{cost * 1e6:,.0f} µs, {1 / cost:,.0f}/s"
    print(f"{label:<24}{few!s:>24}{many!s:>24}{whole:>20}{shares}", flush=True)
    return cost


def load(url: str, headers: dict[str, str], connections: int) -> Load:
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = [
        "taskset",
        "-c",
        CLIENT_CORE,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{SECONDS}",
        "--latency",
        *words,
        url,
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        sys.exit(f"{url} did not answer 200:\n{text}")
    found = [
        re.search(pattern, text)
        for pattern in (r"Requests/sec:\s+([\d.]+)", r"99%\s+(\S+)", r"(\d+) requests in")
    ]
    rate, p99, requests = (match[1] if match else "" for match in found)
    return Load(float(rate), p99, int(requests))


@contextmanager
def serving(bare: str, env: dict[str, str], database: tuple[int, ...] = ()) -> Iterator[Server]:
    """`bare`: a WSGI application to serve instead of the panel's tokens."""
    port = processes.free_port()
    ours = ["manager.server", "tokens"]
    other = ["granian", "--interface", "wsgi", "--blocking-threads", "1", "--log-level", "critical", bare]
    command = [
        "taskset",
        "-c",
        SERVER_CORE,
        sys.executable,
        "-m",
        *(other if bare else ours),
        "--port",
        str(port),
    ]
    server = processes.start("granian", command, log=Path(env["DATA_DIR"]) / "granian.log", env=env)
    try:
        server.wait_until(lambda: processes.tcp_answers(port), "answer")
        yield Server(f"http://127.0.0.1:{port}/", (server.popen.pid, *database))
    finally:
        server.stop()


if __name__ == "__main__":
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; run: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        measure(Path(name))
