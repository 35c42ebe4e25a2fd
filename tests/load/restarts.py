"""Rolling restarts under load: `make bench T=restarts`, or RESTARTS=20 for fewer than 200 of each kind.

Two servers of pages and two of tokens on PostgreSQL, behind each proxy that is shipped, are ended by SIGTERM and
started again, one after the other, while clients ask without a pause. Whatever was not answered is counted.
"""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.load.summary import Row
from tests.parts import postgres, processes, proxies, team

RESTARTS = int(os.environ.get("RESTARTS", "200"))
SERVICES = ("tokens", "web")
COPIES = 2
PATIENCE = 240  # seconds until a client gives up
HEAD = """\
RESTARTS. {count} of each kind behind each proxy: SIGTERM, the end, a new one, its /readyz, then the next one.
Meanwhile {clients} clients ask without a pause: half on connections that they keep, half each time on a new one."""

Ask = Callable[[requests.Session, str], requests.Response]


@dataclass(frozen=True)
class Login:
    """Of a user and of an API token of its account."""

    username: str
    password: str
    api_token: str


@dataclass
class Answers:
    """What clients got, by (kind of request, status or name of the error); and the slowest, in seconds."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: float = 0.0

    def add(self, kind: str, answer: str, seconds: float) -> None:
        self.counts[kind, answer] += 1
        self.slowest = max(self.slowest, seconds)

    @property
    def failed(self) -> dict[tuple[str, str], int]:
        return {key: count for key, count in self.counts.items() if key[1] != "200"}

    def of(self, service: str) -> int:
        return sum(count for (kind, _answer), count in self.counts.items() if kind.startswith(service))


def requests_of(login: Login) -> dict[str, Ask]:
    """Return what clients ask, each by GET, which a proxy may send again, and by a method that it may not."""
    scope = {"service": "localhost:5000", "scope": "repository:team/app:pull,push"}
    form = scope | {
        "grant_type": "password",
        "username": login.username,
        "password": login.password,
        "client_id": "test",
    }
    bearer = {"Authorization": f"Bearer {login.api_token}"}
    account = "/api/v1/accounts/team/"
    return {
        "tokens GET": lambda session, url: session.get(
            f"{url}/auth/token", params=scope, auth=(login.username, login.password), timeout=PATIENCE
        ),
        "tokens POST": lambda session, url: session.post(f"{url}/auth/token", data=form, timeout=PATIENCE),
        "web GET": lambda session, url: session.get(f"{url}{account}", headers=bearer, timeout=PATIENCE),
        "web PATCH": lambda session, url: session.patch(
            f"{url}{account}", headers=bearer, json={"name": "Team"}, timeout=PATIENCE
        ),
    }


@contextmanager
def asked(url: str, wanted: Mapping[str, Ask]) -> Iterator[Answers]:
    """Two clients for each request: one keeps its connection, one does not."""
    answers, over = Answers(), threading.Event()

    def client(kind: str, ask: Ask, keep: bool) -> None:
        session = requests.Session()
        session.headers["Connection"] = "keep-alive" if keep else "close"
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = str(ask(session, url).status_code)
            except requests.RequestException as error:
                answer = type(error).__name__
            answers.add(kind, answer, time.monotonic() - began)

    threads = [
        threading.Thread(target=client, args=(kind, ask, keep))
        for kind, ask in wanted.items()
        for keep in (True, False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@dataclass
class Node:
    """One server, which is ended and started on the same port."""

    service: str
    folder: Path
    env: Mapping[str, str]
    port: int = field(default_factory=processes.free_port)

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "manager.server",
            self.service,
            "--port",
            str(self.port),
            "--workers",
            "2",
        ]
        log = self.folder / f"{self.service}-{self.port}.log"
        self.process = processes.start(self.service, command, log=log, env=self.env)

    def wait(self) -> None:
        url = f"http://127.0.0.1:{self.port}/readyz"
        self.process.wait_until(lambda: processes.http_answers(url), "answer")

    def restart(self) -> float:
        """Return how many seconds its end took."""
        began = time.monotonic()
        self.process.stop()
        ended = time.monotonic() - began
        self.start()
        self.wait()
        return ended


@contextmanager
def nodes(folder: Path, env: Mapping[str, str]) -> Iterator[dict[str, list[Node]]]:
    found = {service: [Node(service, folder, env) for _copy in range(COPIES)] for service in SERVICES}
    every = [node for copies in found.values() for node in copies]
    try:
        for node in every:
            node.start()
        for node in every:
            node.wait()
        yield found
    finally:
        for node in every:
            node.process.stop()


@contextmanager
def behind(proxy: str, folder: Path, of: Mapping[str, list[Node]]) -> Iterator[str]:
    """Yield the address of the proxy."""
    folder.mkdir()
    web, tokens = (tuple(node.port for node in of[service]) for service in ("web", "tokens"))
    running, port = proxies.start(proxy, folder, proxies.Upstreams(web=web, tokens=tokens))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.stop()


def roll(of: Mapping[str, list[Node]], count: int) -> Iterator[float]:
    """Restart `count` of each kind, one at a time; yield the seconds that each took to end."""
    for _round in range(count // COPIES):
        for service in SERVICES:
            for node in of[service]:  # the next as soon as this one is ready: no proxy gets time to think
                yield node.restart()


def measure(folder: Path) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        database = stack.enter_context(postgres.running())
        env = os.environ | {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database,
            "LOG_LEVEL": "WARNING",
        }
        env |= {"API_CALLS_PER_MINUTE": "0"}
        login = Login(*team.make(env, new=True))
        wanted = requests_of(login)
        print(HEAD.format(count=RESTARTS, clients=2 * len(wanted)))
        found = stack.enter_context(nodes(folder, env))
        for proxy in proxies.OF_MACHINES:
            with behind(proxy, folder / proxy.replace(" ", "-"), found) as url, asked(url, wanted) as answers:
                ends = list(roll(found, RESTARTS))
            failed = sum(answers.failed.values())
            said = f"{failed} of {answers.counts.total():,} failed; slowest {answers.slowest:.1f} s"
            print(f"{proxy:<20}{said}, longest end {max(ends):.1f} s")
            for (kind, answer), count in answers.failed.items():
                print(f"  {kind}: {answer}, {count}")
            rows.append(Row(f"{2 * RESTARTS} restarts behind {proxy}", said))
    print()
    return rows
