"""What a token costs, beside the same server answering nothing, and a bare signature: `make bench T=tokens`.

BASE=<revision>    measure that one, too, in turns with the working tree
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from tests.load.panel import ROOT, checked_out, python
from tests.load.summary import Row
from tests.load.usage import cpu
from tests.parts import postgres, processes

SECONDS = "2s"
TURNS = 3
COUNTS = (1, 10, 200)
SERVICE = "localhost:5000"
SERVER_CORE, CLIENT_CORE = "0", "1"
HERE = Path(__file__).parent
HEAD = f"""\
TOKENS for a user with 200 grants. One Granian worker of one thread on core {SERVER_CORE}; on core {CLIENT_CORE} wrk
and PostgreSQL, asked over TCP. CPU: what one request takes of a core, in server and database together, the least of
{TURNS} turns. Then the same divided by what the same server takes for a bare "ok", and for a bare signed token{{base}}.
Rate and p99 are for 32 connections, of the best turn. In process: the same without HTTP and the database's server."""


@dataclass(frozen=True)
class Cost:
    """Of one request, in CPU seconds; and what wrk says of all of them."""

    seconds: float
    rate: float
    p99: str


@dataclass(frozen=True)
class Server:
    url: str
    pids: tuple[int, ...]  # of the server, and of its database's


@dataclass(frozen=True)
class Login:
    """A user who may write to image0 to image9 of space0 to space19."""

    username: str
    password: str

    @property
    def authorization(self) -> str:
        return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"

    @staticmethod
    def query(scopes: int) -> str:
        pairs = [(n % 20, (n + n // 20) % 10) for n in range(scopes)]
        asked = [("scope", f"repository:space{space}/image{image}:pull,push") for space, image in pairs]
        return urlencode([("service", SERVICE), *asked])


@dataclass(frozen=True)
class Asker:
    """A process of a tree that makes tokens without HTTP."""

    process: "subprocess.Popen[str]"
    login: Login

    def seconds(self, scopes: int) -> float:
        """Return what one takes of the calling thread."""
        assert self.process.stdin
        assert self.process.stdout
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/auth/token",
            "QUERY_STRING": self.login.query(scopes),
            "HTTP_AUTHORIZATION": self.login.authorization,
            "HTTP_USER_AGENT": "docker/27.5.1",
            "REMOTE_ADDR": "192.0.2.7",
        }
        print(json.dumps(environ), file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


@dataclass(frozen=True)
class Client:
    server: Server
    login: Login
    asker: Asker

    def cost(self, scopes: int) -> Cost:
        path = f"auth/token?{self.login.query(scopes)}"
        return cost(self.server, path, {"Authorization": self.login.authorization})


def measure(folder: Path) -> list[Row]:
    revision = os.environ.get("BASE", "")
    print(HEAD.format(base=f"; and for {revision}" if revision else ""))
    against = f"÷ {revision}" if revision else ""
    over_http = f"{'':<24}{'CPU':>10}{'÷ ok':>8}{'÷ signature':>13}{against:>12}{'rate':>12}{'p99':>10}"
    print(f"{over_http}{'in process':>12}{against:>12}")
    with ExitStack() as stack:
        trees = [ROOT]
        if revision:
            trees.append(stack.enter_context(checked_out(revision, folder / "base")))
        beside = _bare(folder)
        rows = _tokens("SQLite", trees, folder, None, beside)
        cluster = stack.enter_context(postgres.cluster())
        postmaster = str(cluster.process.popen.pid)
        subprocess.run(["taskset", "-pc", CLIENT_CORE, postmaster], check=True, capture_output=True)
        rows += _tokens("PostgreSQL", trees, folder, cluster, beside)
    print("statements per token request: 1, prepared (asserted in tests/django/registry_sync)\n")
    return rows


def _bare(folder: Path) -> list[float]:
    """Print and return what the server itself takes, and a signature in it."""
    env = environment(ROOT, folder / "bare", "")
    found: list[float] = []
    for label, application in (("bare ok", "ok"), ("bare signature", "signed")):
        with _serving(_granian(f"tests.load.servers:{application}"), ROOT, env) as server:
            least = min((cost(server, "", {}) for _turn in range(TURNS)), key=lambda each: each.seconds)
        print(_line(label, least, found, None), flush=True)
        found.append(least.seconds)
    return found


def _tokens(
    name: str, trees: list[Path], folder: Path, cluster: postgres.Cluster | None, beside: list[float]
) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        clients = [
            stack.enter_context(_panel(tree, folder / f"{name}{number}", cluster, f"tree{number}"))
            for number, tree in enumerate(trees)
        ]
        for count in COUNTS if len(trees) == 1 else COUNTS[:2]:  # older ones refuse so many
            turns = [[client.cost(count) for client in clients] for _turn in range(TURNS)]
            ours, *base = (min(costs, key=lambda each: each.seconds) for costs in zip(*turns, strict=True))
            label = f"{count} scope{'s' if count > 1 else ''}, {name}"
            inside = [[client.asker.seconds(count) for client in clients] for _turn in range(TURNS)]
            ours_inside, *base_inside = map(min, zip(*inside, strict=True))
            line = _line(label, ours, beside, base[0].seconds if base else None)
            against = f"{ours_inside / base_inside[0]:>12.2f}" if base_inside else ""
            print(f"{line}{ours_inside * 1e6:>9,.0f} µs{against}", flush=True)
            over_http = {"÷ signature": ours.seconds / beside[1]}
            if base:
                over_http["÷ base"] = ours.seconds / base[0].seconds
                rows.append(
                    Row(f"token in process, {label}", ratios={"÷ base": ours_inside / base_inside[0]})
                )
            rows.append(Row(f"token, {label}", ratios=over_http))
    return rows


def _line(label: str, ours: Cost, beside: list[float], base: float | None) -> str:
    ratios = [*(f"{ours.seconds / each:.1f}" for each in beside), "", ""][:2]
    against = f"{ours.seconds / base:.2f}" if base else ""
    micros = f"{ours.seconds * 1e6:,.0f} µs"
    rate = f"{ours.rate:,.0f}/s"
    return f"{label:<24}{micros:>10}{ratios[0]:>8}{ratios[1]:>13}{against:>12}{rate:>12}{ours.p99:>10}"


def cost(server: Server, path: str, headers: dict[str, str]) -> Cost:
    load(server.url + path, headers, 4)  # warm
    before = cpu(*server.pids)
    rate, p99, requests = load(server.url + path, headers, 32)
    return Cost((cpu(*server.pids) - before) / requests, rate, p99)


def load(url: str, headers: dict[str, str], connections: int) -> tuple[float, str, int]:
    """Return the rate a second, p99 and how many there were."""
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
    return float(rate), p99, int(requests)


@contextmanager
def _panel(tree: Path, folder: Path, cluster: postgres.Cluster | None, database: str) -> Iterator[Client]:
    """The token service of a tree, with a user of 200 grants."""
    pids: tuple[int, ...] = ()
    address = ""
    if cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        address, pids = f"{cluster.url.rpartition('/')[0]}/{database}", (cluster.process.popen.pid,)
    env = environment(tree, folder, address)
    manage(tree, env, "migrate", "--verbosity", "0")
    world = (tree / "tests/load/world.py").read_text()
    login = Login(*manage(tree, env, "shell", "--verbosity", "0", "--command", world).split()[-2:])
    apart = (tree / "manager" / "server").exists()
    command = ["manager.server", "tokens"] if apart else _granian("manager.wsgi:application")
    with _serving(command, tree, env, pids) as server, asking(tree, env, login) as asker:
        yield Client(server, login, asker)


@contextmanager
def asking(tree: Path, env: dict[str, str], login: Login) -> Iterator[Asker]:
    program = (HERE / "tokens_asker.py").read_text()
    command = [python(tree), "manage.py", "shell", "--verbosity", "0", "--command", program]
    with subprocess.Popen(
        command, cwd=tree, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Asker(process, login)
        assert process.stdin
        process.stdin.close()


def environment(tree: Path, folder: Path, address: str) -> dict[str, str]:
    folder.mkdir()
    env = os.environ | {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    if address:
        env["DATABASE_URL"] = address
    prepares = (tree / "manager/management/commands/prepare.py").exists()  # as older ones call it
    manage(tree, env, "prepare" if prepares else "init_data_dir")
    return env


def manage(tree: Path, env: dict[str, str], *words: str) -> str:
    command = [python(tree), "manage.py", *words]
    return subprocess.run(command, cwd=tree, env=env, check=True, capture_output=True, text=True).stdout


def _granian(application: str) -> list[str]:
    return [
        "granian",
        "--interface",
        "wsgi",
        "--blocking-threads",
        "1",
        "--log-level",
        "critical",
        application,
    ]


@contextmanager
def _serving(
    command: list[str], tree: Path, env: dict[str, str], database: tuple[int, ...] = ()
) -> Iterator[Server]:
    port = processes.free_port()
    words = ["taskset", "-c", SERVER_CORE, python(tree), "-m", *command, "--port", str(port)]
    server = processes.start("granian", words, log=Path(env["DATA_DIR"]) / "granian.log", env=env, cwd=tree)
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
