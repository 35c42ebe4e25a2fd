"""Slow, idle, dripping and withholding clients hold nothing that others need: on every door, through each proxy."""

import os
import re
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
import requests

from accounts.common import secret_files
from tests.contract.test_serving_tokens import served_on
from tests.parts import fixtures, processes, proxies, team

pytestmark = [pytest.mark.contract, pytest.mark.long]
SOCKETS = 64  # on each door
# Seconds; on a quiet machine it is a few hundredths of one. Who waited behind those who hold a door, as many as the
# server's threads at a time, and 10 seconds for each, would wait for longer.
PATIENCE = 120
LONG = 200  # bytes that are announced


@dataclass(frozen=True)
class Panel:
    web: str
    tokens: str
    username: str
    password: str
    api_token: str
    hook: str

    def doors(self) -> dict[str, tuple[str, bytes]]:
        """(where, head of a request whose body would be waited for)"""
        session = requests.Session()
        page = session.get(f"{self.web}/me/login/").text
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        style = re.search(r"/static/vendor/tabler/[^\"]+css", page)  # the largest file
        assert csrf
        assert style
        cookie = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
        form = "Content-Type: application/x-www-form-urlencoded"
        return {
            "token": (self.tokens, head("/auth/token", form)),
            "token of the panel": (self.web, head("/auth/token", form)),
            "form": (self.web, head("/me/login/", form, f"Cookie: {cookie}", f"X-CSRFToken: {csrf[1]}")),
            "API": (self.web, head("/api/v1/accounts/", "Content-Type: application/json",
                                   f"Authorization: Bearer {self.api_token}")),
            "events": (self.web, head("/registry/events", f"Authorization: Bearer {self.hook}")),
            "page that is not read": (self.web, b"GET /me/signup/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "file that is not read": (self.web, f"GET {style[0]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
            "headers": (self.web, b"POST /me/login/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
        }  # fmt: skip

    def serves_readers(self) -> None:
        """A page and a token, on connections of their own."""
        page = requests.get(f"{self.web}/me/login/", timeout=PATIENCE)
        assert page.status_code == 200
        asked = {"service": "localhost:5000", "scope": "repository:team/app:pull"}
        for url in {self.tokens, self.web}:
            auth = (self.username, self.password)
            assert (
                requests.get(f"{url}/auth/token", params=asked, auth=auth, timeout=PATIENCE).status_code
                == 200
            )

    def serves_others(self) -> None:
        """What has a body too."""
        self.serves_readers()
        form = {"grant_type": "password", "username": self.username, "password": self.password,
                "service": "localhost:5000", "scope": "repository:team/app:pull"}  # fmt: skip
        for url in {self.tokens, self.web}:
            assert requests.post(f"{url}/auth/token", data=form, timeout=PATIENCE).status_code == 200
        headers = {"Authorization": f"Bearer {self.api_token}"}
        created = requests.post(
            f"{self.web}/api/v1/accounts/team/users/",
            json={"description": "x"},
            headers=headers,
            timeout=PATIENCE,
        )
        assert created.status_code == 201


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: localhost", *lines, f"Content-Length: {LONG}", "", ""]
    ).encode()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[str]]:
    """Its environment; username, password, API token and the registry's key."""
    data = tmp_path_factory.mktemp("slow") / "data"
    env = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env |= {"DATA_DIR": str(data), "API_CALLS_PER_MINUTE": "0"}
    made = team.make(env, new=True)
    team.manage(env, "collectstatic", "--no-input", "--verbosity", "0")
    return env, [*made, secret_files.read(data / "secrets/hook.key").decode()]


@pytest.fixture(scope="module", params=["no proxy", *proxies.PROXIES])
def panel(
    request: pytest.FixtureRequest,
    installation: tuple[dict[str, str], list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Panel]:
    folder, (env, made) = tmp_path_factory.mktemp("panel"), installation
    ports = {service: processes.free_port() for service in ("web", "tokens")}
    running = [
        processes.start(service, served_on(port, service), log=folder / f"{service}.log", env=env)
        for service, port in ports.items()
    ]
    try:
        for each, port in zip(running, ports.values(), strict=True):
            each.wait_until(
                lambda port=port: processes.http_answers(f"http://127.0.0.1:{port}/readyz"), "answer"
            )
        web, tokens = (f"http://localhost:{port}" for port in ports.values())
        if request.param != "no proxy":
            fixtures.need(request.param, root=request.param == "nginx")
            proxy, port = proxies.start(request.param, folder, proxies.Upstreams(**ports))
            running.append(proxy)
            web = tokens = f"http://localhost:{port}"
        yield Panel(web, tokens, *made)
    finally:
        for each in reversed(running):
            each.stop(seconds=30)


@dataclass(frozen=True)
class Door:
    """Connections to one, on each of which a request was begun."""

    port: int
    begun: bytes
    opened: list[socket.socket] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        connection = socket.socket()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # for what is not read
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(self.begun)
        self.opened.append(connection)

    def drip(self) -> None:
        """A byte more on each."""
        for connection in self.opened:
            with suppress(OSError):  # it was told to go, and went
                connection.send(b"a")

    def come_again(self) -> None:
        """Whoever was let go comes again, so that the door stays held however slow the machine is."""
        with self.lock:
            for connection in [each for each in self.opened if _answered(each)]:
                self.opened.remove(connection)
                connection.close()
                self.open()

    def waiting(self) -> int:
        with self.lock:
            return sum(not _answered(each) for each in self.opened)

    def close(self) -> None:
        for connection in self.opened:
            connection.close()


@contextmanager
def held(
    doors: dict[str, tuple[str, bytes]], sockets: int, *, again: bool = False
) -> Iterator[dict[str, Door]]:
    """So many connections to each door, all of them begun, and a byte more on each every second."""
    opened: dict[str, Door] = {}
    for name, (url, begun) in doors.items():
        opened[name] = Door(urlsplit(url).port or 80, begun)
        for _each in range(sockets):
            opened[name].open()
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(1):
            for name, door in opened.items():
                door.drip()
                # What is not read was answered at once, and holds what it does not read.
                if again and "not read" not in name:
                    door.come_again()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield opened
    finally:
        over.set()
        thread.join()
        for door in opened.values():
            door.close()


def test_others_are_served_while_every_door_is_held(panel: Panel) -> None:
    panel.serves_others()  # whatever is slow the first time
    waiting = []
    with held(panel.doors(), SOCKETS, again=True) as opened:
        for _each in range(5):
            panel.serves_others()
            waiting.append(sum(door.waiting() for door in opened.values()))
    assert max(waiting) > SOCKETS  # else nothing was held, and nothing is shown
    panel.serves_others()


@pytest.mark.parametrize("panel", ["no proxy"], indirect=True)
def test_who_does_not_send_is_told_so_and_let_go(panel: Panel) -> None:
    doors = panel.doors()
    for name in [name for name in doors if name == "headers" or "not read" in name]:
        del doors[name]  # the server ends the first by itself, without a word, and has answered the others
    with held(doors, 1) as opened:
        for name, door in opened.items():
            answer = door.opened[0].recv(1000).decode()
            assert answer.startswith("HTTP/1.1 408 "), name
            assert "was not sent within" in answer


@pytest.mark.parametrize("panel", ["no proxy"], indirect=True)
def test_without_the_key_no_event_is_waited_for(panel: Panel) -> None:
    with held(
        {"events": (panel.web, head("/registry/events", "Authorization: Bearer nonsense"))}, 1
    ) as opened:
        assert opened["events"].opened[0].recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("panel", ["no proxy"], indirect=True)
def test_one_address_that_holds_too_much_is_told_to_come_back(panel: Panel) -> None:
    """Of 96 MB in a process one address has a third, and what waits counts 96 KB before it has sent anything."""
    door = panel.doors()["form"]
    with held({"form": door}, 900) as opened:
        panel.serves_readers()
        _wait_for_an_answer(
            opened["form"].opened
        )  # the process of that page need not be the one that refuses
        answers = [each.recv(1000).decode() for each in opened["form"].opened if _answered(each)]
    refused = [answer for answer in answers if answer.startswith("HTTP/1.1 503 ")]
    assert refused
    assert "retry-after: 5" in refused[0]


def _wait_for_an_answer(connections: list[socket.socket]) -> None:
    with selectors.DefaultSelector() as selector:
        for each in connections:
            selector.register(each, selectors.EVENT_READ)
        selector.select(timeout=PATIENCE)


def _answered(connection: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))
