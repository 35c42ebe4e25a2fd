"""A proxy in front writes down no link that is as good as a password, whether it is served or nobody is there."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from django.urls import reverse

from tests.parts import processes, proxies
from tests.parts.fixtures import need
from tests.parts.proxies import Upstreams

pytestmark = pytest.mark.contract
SECRET = "4gQ2mZ8w"
LINKS = [
    reverse("bootstrap-link", args=[f"rml_{SECRET}"]),
    reverse("invitation-link", args=[f"rml_{SECRET}"]),
    reverse("account_confirm_email", args=[f"MQ:{SECRET}"]),
    reverse("account_reset_password_from_key", kwargs={"uidb36": "3", "key": SECRET}),
]
OTHER = "/a/team-red/images/"


class Panel(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the proxy's log is looked at."""


@pytest.fixture(params=["served", "nobody there"])
def upstream(request: pytest.FixtureRequest) -> Iterator[int]:
    if request.param == "nobody there":
        yield processes.free_port()
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Panel)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def ask_for_each(port: int) -> None:
    for path in (*LINKS, OTHER):
        own = f"http://127.0.0.1:{port}{path}"
        requests.get(own, headers={"Referer": own}, timeout=120, allow_redirects=False)


def test_nginx_as_documented(tmp_path: Path, upstream: int) -> None:
    need("nginx", root=True)
    log = f"access_log {tmp_path}/access.log combined;"
    nginx, port = proxies.start(
        "nginx", tmp_path, Upstreams(upstream, upstream), lambda text: text.replace("access_log off;", log, 1)
    )
    ask_for_each(port)

    def written() -> str:
        return "".join(path.read_text() for path in tmp_path.glob("*.log"))

    nginx.wait_until(lambda: OTHER in written(), "line of the last request")  # so that it does write
    nginx.stop()
    assert SECRET not in written()


@pytest.mark.parametrize("name", proxies.CADDY)
@pytest.mark.parametrize("access_log", [False, True])
def test_our_caddyfile(tmp_path: Path, upstream: int, access_log: bool, name: str) -> None:
    need("caddy")

    def change(text: str) -> str:
        text = text.replace("lb_try_duration 15s", "lb_try_duration 1ms")
        return text.replace("\t{$TLS}", "\tlog\n\t{$TLS}") if access_log else text

    caddy, port = proxies.start(name, tmp_path, Upstreams(upstream, upstream), change)
    ask_for_each(port)
    if access_log:
        caddy.wait_until(lambda: OTHER in caddy.log.read_text(), "line of the last request")  # it does write
    caddy.stop()
    assert SECRET not in caddy.log.read_text()
