"""The token door as production serves it, in both servers that have it, on a real PostgreSQL, while things happen."""

import json
import os
import re
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
import requests
import yaml
from django.conf import settings

from manager.server.web import THREADS
from registry_sync.tokens.throttle import PAUSE
from tests.parts import fixtures, postgres, processes, proxies, team

pytestmark = pytest.mark.contract
READY = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
NOTHING_SENT = "refused"  # before a byte was sent: a proxy asks another server, whatever the method
PATIENCE = 120  # seconds in which a client gets its answer, whatever happened, on a busy machine too


@dataclass
class Panel:
    url: str
    database: postgres.Cluster
    server: processes.Running
    username: str
    password: str

    def ask(self, scope: str = "repository:team/app:pull,push") -> requests.Response:
        """On a connection of its own, as clients do."""
        return requests.get(
            f"{self.url}/auth/token",
            params={"service": "localhost:5000", "scope": scope},
            auth=(self.username, self.password),
            timeout=PATIENCE,
        )

    def workers(self) -> set[int]:
        found = Path(f"/proc/{self.server.popen.pid}/task/{self.server.popen.pid}/children").read_text()
        return {int(pid) for pid in found.split()}

    def serves(self) -> bool:
        """Whether both workers answer, of whom the second may be a moment behind."""
        try:
            return self._listening() == 2 and {self.ask().status_code for _each in range(20)} == {200}
        except requests.ConnectionError:
            return False

    def _listening(self) -> int:
        """How many sockets listen on its port: each worker has its own."""
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return sum(address.endswith(f":{self.port:04X}") and state == "0A"
                   for _number, address, _peer, state, *_more in sockets)  # fmt: skip

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def asked_on(self, connection: socket.socket) -> tuple[int, bool]:
        """The status of readiness, and whether this was the last answer."""
        connection.sendall(READY)
        with HTTPResponse(connection) as answer:
            answer.begin()
            answer.read()
            return answer.status, answer.will_close

    def is_ready(self) -> bool:
        return requests.get(f"{self.url}/readyz", timeout=PATIENCE).status_code == 200

    @contextmanager
    def asked_all_the_time(self) -> Iterator[Counter[str]]:
        """How often which answer came, to three clients that never rest."""
        answers: Counter[str] = Counter()
        over = threading.Event()

        def client() -> None:
            while not over.is_set():
                try:
                    answers[str(self.ask().status_code)] += 1
                except requests.RequestException as error:
                    answers[NOTHING_SENT if "NewConnectionError" in str(error) else type(error).__name__] += 1

        threads = [threading.Thread(target=client) for _each in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            over.set()
            for thread in threads:
                thread.join()


@dataclass
class Installation:
    """A database with a user in it, and the environment that leads there."""

    database: postgres.Cluster
    env: dict[str, str]
    username: str
    password: str


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    fixtures.need("postgresql")
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    with postgres.cluster() as database:
        env = kept | {"DATA_DIR": str(tmp_path_factory.mktemp("data")), "DATABASE_URL": database.patient_url}
        username, password, _api_token = team.make(env, new=True)
        yield Installation(database, env, username, password)


@pytest.fixture(scope="module", params=["web", "tokens"])
def serving(
    request: pytest.FixtureRequest, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Panel]]:
    """The server of all tests, and a new one after a test that ended it."""
    folder, begun = tmp_path_factory.mktemp(request.param), list[Panel]()

    def panel() -> Panel:
        if not begun or begun[-1].server.popen.poll() is not None:
            begun.append(serve(request.param, installation, folder))
        return begun[-1]

    yield panel
    for each in begun:
        each.server.stop()


@pytest.fixture
def panel(serving: Callable[[], Panel]) -> Panel:
    """The test before may have taken its database away."""
    found = serving()
    found.server.wait_until(found.serves, "answer")
    return found


@pytest.fixture
def leisurely(panel: Panel, installation: Installation, tmp_path: Path) -> Iterator[Panel]:
    """The same server again; at its end clients have all the time that a test may need."""
    made = serve(panel.server.name, installation, tmp_path, leisurely_on)
    made.server.wait_until(made.serves, "answer")
    yield made
    made.server.stop(processes.PATIENCE)


def serve(
    service: str, at: Installation, folder: Path, command: Callable[[int, str], list[str]] | None = None
) -> Panel:
    port = processes.free_port()
    words = (command or served_on)(port, service)
    server = processes.start(service, words, log=folder / f"{port}.log", env=at.env)
    server.wait_until(lambda: processes.http_answers(f"http://127.0.0.1:{port}/readyz"), "answer")
    return Panel(f"http://127.0.0.1:{port}", at.database, server, at.username, at.password)


def served_on(port: int, service: str) -> list[str]:
    """The service's command in compose.yaml, or the image's own, on a port of ours."""
    image = re.search(r"^CMD (\[.*\])", (settings.BASE_DIR / "Dockerfile").read_text(), re.MULTILINE)
    assert image
    compose = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())
    command = compose["services"][service].get("command") or json.loads(image[1])
    words = {"python": sys.executable, "0.0.0.0": "127.0.0.1"}  # noqa: S104
    return [*(words.get(word, word) for word in command), "--port", str(port)]


LEISURELY = """
from manager.server import draining, early_signals
early_signals.hold()
from manager.server.serving import serve
draining.draining.kept_seconds = draining.draining.begun_seconds = {seconds}
serve("manager.server.{service}:application", "127.0.0.1", {port}, 2, kill_seconds=2 * {seconds})
"""


def leisurely_on(port: int, service: str) -> list[str]:
    code = LEISURELY.format(port=port, service=service, seconds=processes.PATIENCE)
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("serving", ["tokens"], indirect=True)
def test_a_wrong_password_is_told_after_a_pause_and_a_right_one_at_once(panel: Panel) -> None:
    """Else 32 clients that guess keep a process busy, and who is right waits behind them."""
    wrong = replace(panel, password=panel.password[:-1]).ask()
    assert wrong.status_code == 401
    assert wrong.elapsed.total_seconds() > PAUSE

    def right_at_once() -> bool:
        answer = panel.ask()
        assert answer.status_code == 200
        return answer.elapsed.total_seconds() < PAUSE

    panel.server.wait_until(right_at_once, "answer sooner than that")  # the first, on a quiet machine


@pytest.fixture
def caddy(panel: Panel, tmp_path: Path) -> Iterator[Panel]:
    """The same panel, behind the proxy that we ship."""
    fixtures.need("caddy")
    port = urlsplit(panel.url).port or 0
    running, front = proxies.start("caddy", tmp_path, proxies.Upstreams(web=port, tokens=port))
    yield replace(panel, url=f"http://127.0.0.1:{front}")
    running.stop()


@pytest.mark.parametrize("way", ["panel", "caddy"])
def test_no_request_fails_while_the_workers_are_replaced(
    panel: Panel, way: str, request: pytest.FixtureRequest
) -> None:
    """Asked directly, each on a new connection; and by a proxy, which keeps its connections."""
    asked: Panel = request.getfixturevalue(way)
    with asked.asked_all_the_time() as answers:
        before = panel.workers()
        panel.server.popen.send_signal(signal.SIGHUP)
        panel.server.wait_until(lambda: not panel.workers() & before, "new workers")
        seen = answers.total()
        panel.server.wait_until(lambda: answers.total() > seen + 50, "answer them")
    assert set(answers) == {"200"}


@pytest.fixture
def broken(installation: Installation) -> Iterator[Callable[[], None]]:
    """Nothing can start, as in the middle of an update, until what it yields is called."""
    key = Path(installation.env["DATA_DIR"]) / "secrets" / "django.key"
    key.chmod(0o644)
    yield lambda: key.chmod(0o600)
    key.chmod(0o600)


def test_workers_are_not_replaced_by_what_cannot_start(panel: Panel, broken: Callable[[], None]) -> None:
    """An update that failed half way must not end what serves."""
    before = panel.workers()
    panel.server.popen.send_signal(signal.SIGHUP)
    panel.server.wait_until(
        lambda: "cannot start; the workers that serve go on" in panel.server.log_end(), "say so"
    )
    assert panel.workers() == before
    assert panel.serves()


def test_a_worker_that_is_killed_is_replaced(panel: Panel) -> None:
    before = panel.workers()
    os.kill(min(before), signal.SIGKILL)
    panel.server.wait_until(lambda: len(panel.workers() - before) == 1, "a new worker")
    panel.server.wait_until(panel.serves, "answer")
    assert panel.server.popen.poll() is None


def test_a_worker_that_is_killed_is_replaced_once_another_can_start(
    panel: Panel, broken: Callable[[], None]
) -> None:
    left = max(panel.workers())
    os.kill(min(panel.workers()), signal.SIGKILL)
    panel.server.wait_until(lambda: "no other can start" in panel.server.log_end(), "say so")
    panel.server.wait_until(lambda: panel.workers() == {left}, "end of what cannot start")
    assert {panel.ask().status_code for _each in range(20)} == {200}
    broken()
    panel.server.wait_until(lambda: len(panel.workers()) == 2, "a new worker")
    panel.server.wait_until(panel.serves, "answer")


def test_a_server_of_which_no_worker_can_start_ends(
    panel: Panel, broken: Callable[[], None], installation: Installation, tmp_path: Path
) -> None:
    port = processes.free_port()
    command = served_on(port, panel.server.name)
    other = processes.start(panel.server.name, command, log=tmp_path / "log", env=installation.env)
    assert other.popen.wait(processes.PATIENCE) == 1
    assert "has mode 0644" in other.log_end()


def test_a_reload_is_left_for_the_end(panel: Panel) -> None:

    def reloads() -> bool:
        if len(panel.workers()) > 2:
            return True
        panel.server.popen.send_signal(signal.SIGHUP)  # again, where nobody looked while it did
        return False

    panel.server.wait_until(reloads, "a new worker")
    panel.server.popen.send_signal(signal.SIGTERM)
    assert panel.server.popen.wait(processes.PATIENCE) == 0


def test_what_was_begun_is_answered_before_the_end(panel: Panel) -> None:
    """What is refused then waits at the proxy, or goes to another process; a wrong answer it could not mend."""
    with panel.asked_all_the_time() as answers:
        panel.server.wait_until(lambda: answers["200"] > 50, "answer")
        panel.server.popen.send_signal(signal.SIGTERM)
        assert panel.server.popen.wait(processes.PATIENCE) == 0
    assert set(answers) <= {"200", NOTHING_SENT}


def test_a_kept_connection_is_told_of_the_end_with_an_answer(leisurely: Panel) -> None:
    """A proxy cannot send a POST again, so the connection must not end while it sends one."""
    with socket.create_connection(("127.0.0.1", leisurely.port), timeout=PATIENCE) as kept:
        assert leisurely.asked_on(kept) == (200, False)
        leisurely.server.popen.send_signal(signal.SIGTERM)

        def told() -> bool:
            status, last = leisurely.asked_on(kept)
            assert status == 200
            return last

        leisurely.server.wait_until(told, "say that it closes")
        assert kept.recv(1) == b""
    assert leisurely.server.popen.wait(processes.PATIENCE) == 0


def test_what_waits_to_be_accepted_is_answered(leisurely: Panel) -> None:
    """The kernel has begun these connections for workers that stand still, and are told to end meanwhile."""
    workers = leisurely.workers()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    with ExitStack() as stack:
        begun = [
            stack.enter_context(socket.create_connection(("127.0.0.1", leisurely.port), timeout=PATIENCE))
            for _each in range(20)
        ]
        for each in begun:
            each.sendall(READY)
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)
        assert {each.recv(12) for each in begun} == {b"HTTP/1.1 200"}


def test_what_was_noted_is_written_before_the_end(installation: Installation, panel: Panel) -> None:
    """The second request comes while the writer pauses after the first."""
    noted = {f"team/{panel.server.name}/{number}" for number in range(2)}
    for name in sorted(noted):
        assert panel.ask(f"repository:{name}:delete").status_code == 200
    panel.server.stop()
    code = "from accounts.models import Denial; print(*Denial.objects.values_list('repository', flat=True))"
    assert set(team.shell(installation.env, code).split()) >= noted


def test_without_a_database_everybody_is_told_to_come_back_and_gets_in_again(panel: Panel) -> None:
    assert panel.ask().status_code == 200
    panel.database.stop()
    for _each in range(10):
        answer = panel.ask()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    panel.database.restart()
    # A refusal that was slow to come is answered with a rest as long as it.
    panel.server.wait_until(panel.serves, "let everybody in again")


def test_a_process_that_is_asked_for_nothing_else_is_ready_again_after_its_database(panel: Panel) -> None:
    """Whoever waits for "ready" before it sends a request would wait for ever."""
    panel.server.wait_until(panel.serves, "answer")
    panel.database.restart()
    assert {panel.is_ready() for _each in range(20)} == {True}
    panel.database.stop()
    assert not panel.is_ready()
    panel.database.restart()
    panel.server.wait_until(lambda: all(panel.is_ready() for _each in range(20)), "be ready")


def test_however_much_is_asked_a_process_keeps_its_few_connections(panel: Panel) -> None:
    """One for each thread that asks, or for the event loop, and one for what is written afterwards."""
    with panel.asked_all_the_time() as answers, psycopg.connect(panel.database.url, autocommit=True) as other:
        panel.server.wait_until(lambda: answers["200"] > 2000, "answer")  # each thread has asked by then
        mine = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"

        def few() -> bool:
            """What a worker that is gone had goes a moment later."""
            found = other.execute(mine).fetchone()
            return bool(found) and found[0] <= 2 * (THREADS + 1)

        panel.server.wait_until(few, "few connections")


def test_a_database_that_was_restarted_is_not_noticed(panel: Panel) -> None:
    """Every worker's connection is dead, and each finds out at its next request."""
    assert {panel.ask().status_code for _each in range(20)} == {200}
    panel.database.restart()
    assert {panel.ask().status_code for _each in range(40)} == {200}


def test_a_table_that_is_locked_makes_nobody_wait_for_long(panel: Panel) -> None:
    """As a migration does; what waited is told to come back."""
    with psycopg.connect(panel.database.url) as other:
        other.execute("LOCK TABLE namespaces_grant IN ACCESS EXCLUSIVE MODE")
        answer = panel.ask()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        other.rollback()
    panel.server.wait_until(lambda: panel.ask().status_code == 200, "answer again")


def test_whatever_is_sent_is_answered_and_the_next_one_is_served(panel: Panel) -> None:
    url, pair = f"{panel.url}/auth/token", (panel.username, panel.password)
    form = {"grant_type": "password", "username": pair[0], "password": pair[1],
            "service": "localhost:5000", "scope": "repository:team/app:pull"}  # fmt: skip
    chunks = iter([urlencode(form).encode()])  # without a length, hence chunked
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    told = [
        requests.post(url, data=chunks, headers=as_form, timeout=PATIENCE).status_code,
        requests.post(url, data=form | {"scope": "x" * 1_000_000}, timeout=PATIENCE).status_code,
        requests.get(url, params={"scope": "x" * 40_000}, auth=pair, timeout=PATIENCE).status_code,
        requests.get(url, auth=(pair[0], "x" * 20_000), timeout=PATIENCE).status_code,
        requests.head(url, timeout=PATIENCE).status_code,
        requests.request("BREW", url, timeout=PATIENCE).status_code,
    ]
    assert told == [200, 400, 400, 401, 400, 405]
    assert panel.ask().status_code == 200


@pytest.mark.parametrize(
    "framing",
    [
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        "Content-Length: 9\r\n\r\nabc",
    ],
    ids=["no size", "chunks broke off", "length broke off"],
)
def test_a_body_that_cannot_be_read_to_its_end_is_the_clients_fault(panel: Panel, framing: str) -> None:
    """Who sends it may still read: 500 would say that the panel failed, and ends containerd's attempts."""
    with socket.create_connection(("127.0.0.1", urlsplit(panel.url).port or 80), timeout=PATIENCE) as client:
        client.sendall(f"POST /auth/token HTTP/1.1\r\nHost: localhost\r\n{framing}".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000)[:13] in (b"HTTP/1.1 400 ", b"")
    assert panel.ask().status_code == 200
