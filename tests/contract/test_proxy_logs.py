"""A proxy in front writes down no link that is as good as a password, whether it is served or nobody is there."""

import os
import re
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from django.urls import reverse

from tests.parts import processes
from tests.parts.fixtures import need
from tests.parts.install import find

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[2]
SECRET = "4gQ2mZ8w"
LINKS = [
    reverse("first-link", args=[f"rml_{SECRET}"]),
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
        requests.get(own, headers={"Referer": own}, timeout=10, allow_redirects=False)


def test_nginx_as_documented(tmp_path: Path, upstream: int) -> None:
    need("nginx")
    port, text = processes.free_port(), (ROOT / "docs" / "operations.md").read_text()
    found = re.search(r"^server \{.*?^\}", text, re.MULTILINE | re.DOTALL)
    assert found
    server = found[0].replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(":8000", f":{upstream}")
    temporary = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log {tmp_path}/access.log combined; {temporary}\n{server}\n}}\n"
    )
    nginx = processes.start("nginx", [str(find("nginx")), "-c", config], log=tmp_path / "output.log")
    nginx.wait_until(lambda: processes.tcp_answers(port), "port")
    ask_for_each(port)
    nginx.stop()
    written = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert OTHER in written  # so that it does write
    assert SECRET not in written


@pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is missing (the proxy of compose.yaml)")
@pytest.mark.parametrize("access_log", [False, True])
def test_our_caddyfile(tmp_path: Path, upstream: int, access_log: bool) -> None:
    port, config = processes.free_port(), tmp_path / "Caddyfile"
    text = (ROOT / "Caddyfile").read_text().replace("web:8000", f"127.0.0.1:{upstream}")
    text = text.replace("lb_try_duration 15s", "lb_try_duration 1ms")
    config.write_text(text.replace("\t{$TLS}", "\tlog\n\t{$TLS}") if access_log else text)
    env = os.environ | {
        "SITES": f"http://127.0.0.1:{port}", "TLS": "", "CADDY_ADMIN": f"127.0.0.1:{processes.free_port()}",
        "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path),
    }  # fmt: skip
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", config]
    caddy = processes.start("caddy", command, log=tmp_path / "log", env=env)
    caddy.wait_until(lambda: processes.tcp_answers(port), "port")
    ask_for_each(port)
    caddy.stop()
    written = caddy.log.read_text()
    assert OTHER in written or not access_log  # so that it does write
    assert SECRET not in written
