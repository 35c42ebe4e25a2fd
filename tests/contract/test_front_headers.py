"""What gets through the real proxies and is believed: no client speaks with another's address."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.parts import fixtures, processes, proxies

pytestmark = pytest.mark.contract
SERVE = (
    "from manager.server.serving import serve; serve('tests.parts.echo:application', '127.0.0.1', {port}, 1)"
)
FRONTS = ("no proxy", "nginx", *proxies.CADDY)
SPOOFED = "192.0.2.66"
# Each header that somebody believes, with the names that WSGI takes for the same.
FOLDS = [
    "X_Forwarded_For", "X-Forwarded_For", "x_forwarded_for", "X_Forwarded_Proto", "X_Forwarded_Host", "X_Real_IP",
    "HTTP_X_Forwarded_For", "X.Forwarded.For", "Authorization_", "Cookie_",
]  # fmt: skip


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Its process has variables that are named like headers, as companies have."""
    port, folder = processes.free_port(), tmp_path_factory.mktemp("echo")
    env = os.environ | {
        "TRUSTED_PROXY_COUNT": "1",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTP_X_REAL_IP": SPOOFED,
        "DATA_DIR": str(settings.DATA_DIR),
    }
    command = [sys.executable, "-c", SERVE.format(port=port)]
    server = processes.start("echo", command, log=folder / "echo.log", env=env, cwd=settings.BASE_DIR)
    server.wait_until(lambda: processes.tcp_answers(port), "answer")
    yield port
    server.stop()


@pytest.fixture(params=FRONTS, scope="module")
def front(
    request: pytest.FixtureRequest, echo: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    if request.param == "no proxy":
        yield echo
        return
    fixtures.need(request.param.partition(" ")[0], root=request.param == "nginx")
    folder: Path = tmp_path_factory.mktemp(request.param)
    running, port = proxies.start(request.param, folder, proxies.Upstreams(web=echo, tokens=echo))
    yield port
    running.stop()


def ask(port: int, *lines: str, path: str = "/", body: str = "") -> tuple[int, dict[str, Any]]:
    """Written by hand: no client would send most of it."""
    head = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    if not any(line.lower().startswith("host:") for line in lines):
        head.insert(1, f"Host: localhost:{port}")
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode("latin-1"))
        raw = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _empty, content = raw.partition(b"\r\n\r\n")
    status = int(top.split()[1])
    text = content[content.find(b"{") : content.rfind(b"}") + 1]
    return status, json.loads(text) if status == 200 else {}


@pytest.mark.parametrize("name", FOLDS)
def test_a_name_that_folds_does_not_get_in(front: int, name: str) -> None:
    status, told = ask(front, f"{name}: {SPOOFED}")
    if status == 200:  # the proxy may refuse it
        assert SPOOFED not in json.dumps(told)
        assert told["client"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-for"])
def test_no_client_chooses_its_address_behind_a_proxy(front: int, echo: int, name: str) -> None:
    """Without a proxy TRUSTED_PROXY_COUNT would be 0; here it is not, so the header is believed."""
    for lines in ((f"{name}: {SPOOFED}",), (f"{name}: {SPOOFED}", f"{name}: {SPOOFED}")):
        status, told = ask(front, *lines)
        assert status == 200
        assert told["client"] == (SPOOFED if front == echo else "127.0.0.1")


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded"])
def test_what_a_proxy_writes_a_client_cannot(front: int, echo: int, name: str) -> None:
    """Of these the panel believes X-Forwarded-Proto alone."""
    _status, told = ask(front, f"{name}: {SPOOFED}")
    if front != echo and name == "X-Forwarded-Proto":
        assert told["HTTP_X_FORWARDED_PROTO"] in ("http", "https")


def test_the_host_that_was_asked_arrives_and_two_do_not(front: int) -> None:
    assert ask(front)[1]["HTTP_HOST"] == f"localhost:{front}"
    assert ask(front, f"Host: localhost:{front}", f"Host: 127.0.0.1:{front}")[0] == 400


def test_nothing_of_the_process_looks_like_a_header(front: int) -> None:
    _status, told = ask(front, "Proxy: http://evil.example")
    assert "HTTP_PROXY" not in told
    assert "DATA_DIR" not in told
    assert "PATH" not in told


def test_body_path_and_query_arrive_as_they_were_sent(front: int) -> None:
    _status, told = ask(front, path="/auth/token?scope=a%20b&x=+", body="a=1&b=é")
    assert (told["PATH_INFO"], told["QUERY_STRING"]) == ("/auth/token", "scope=a%20b&x=+")
    assert (told["body"], told["CONTENT_LENGTH"]) == ("a=1&b=é", "7")
