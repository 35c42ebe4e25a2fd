"""What weighs on a panel while its tokens and pages are measured: each in processes of its own, which end with it."""

import base64
import json
import os
import random
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from accounts import credentials, names
from tests.load.panel import FEW, ONE, Panel, beginning, request
from tests.parts import images, processes

LUA = Path(__file__).parent / "flood.lua"
LONG = 600  # seconds; all are stopped long before
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

Say = Callable[[], str]  # what it came to, once it has ended


@contextmanager
def flood(folder: Path, asked: list[str], ports: list[int], connections: int = 32) -> Iterator[Say]:
    """As fast as the server answers, at each port on so many connections. Says how fast that was."""
    (folder / "flood").write_text("\0".join(asked))
    env = os.environ | {"REQUESTS": str(folder / "flood")}
    logs = [folder / f"flood-{port}.log" for port in ports]
    with ExitStack() as stack:
        for port, log in zip(ports, logs, strict=True):
            log.unlink(missing_ok=True)
            command = ["wrk", "-t1", f"-c{connections}", f"-d{LONG}", "-s", LUA, f"http://127.0.0.1:{port}/"]
            # When it is interrupted it says what it did.
            running = processes.start("wrk", command, log=log, env=env, goodbye=signal.SIGINT)
            stack.callback(running.stop)
        yield lambda: " + ".join(_rate(log.read_text()) for log in logs)


def _rate(text: str) -> str:
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return f"{float(found[1]):,.0f}/s" if found else "?"


@contextmanager
def paced(folder: Path, **ask: Any) -> Iterator[Say]:
    """Questions at a fixed pace (tests.load.paced). Says how many were answered in a second."""
    spec = folder / "paced.json"
    spec.write_text(json.dumps({"seconds": LONG, "precise": False, "asks": [{"name": "", **ask}]}))
    with _python("paced", spec) as log:
        yield lambda: _paced_rate(json.loads(log.read_text())[""])


def _paced_rate(said: dict[str, Any]) -> str:
    return f"{said['rate']:,.0f}/s" + (f", {said['failed']:,} failed" if said["failed"] else "")


@contextmanager
def slow_clients(folder: Path, panel: Panel) -> Iterator[Say]:
    """16 on each door that takes a body, and 16 that never end their headers. Says how often the panel ended one."""
    spec, clients = (
        folder / "slow.json",
        [client for n in range(16) for client in _slow(panel, f"203.0.113.{n}")],
    )
    spec.write_text(json.dumps(clients))
    with _python("slow", spec) as log:
        yield lambda: f"{len(clients)}, {json.loads(log.read_text())['ended']:,} ended"


@contextmanager
def _python(name: str, spec: Path) -> Iterator[Path]:
    log = spec.with_suffix(".log")
    log.unlink(missing_ok=True)
    running = processes.start(name, [sys.executable, "-m", f"tests.load.{name}", spec], log=log)
    try:
        yield log
    finally:
        running.stop()


def _slow(panel: Panel, address: str) -> list[tuple[int, str]]:
    doors = [
        *((port, beginning("POST", "/auth/token", 4000, Content_Type=FORM))
          for port in {panel.token_port, panel.port}),
        (panel.port, beginning("POST", "/me/login/", 4000, Content_Type=FORM, Cookie=f"panel_csrf={'a' * 32}")),
        (panel.port, beginning("POST", "/api/v1/accounts/", 4000, Content_Type=JSON,
                               Authorization=f"Bearer {panel.api_token}")),
        (panel.port, beginning("POST", "/registry/events", 4000, Content_Type=JSON,
                               Authorization=f"Bearer {panel.hook_key}")),
        (panel.port, "GET /me/login/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
    ]  # fmt: skip
    # Behind the first line, so that it also stands in headers that never end.
    said = f"\r\nX-Forwarded-For: {address}\r\n"
    return [(port, head.replace("\r\n", said, 1)) for port, head in doors]


def sign_ins(panel: Panel, count: int = 5_000) -> list[str]:
    """With a wrong password, each from another address."""
    answer = requests.get(f"http://127.0.0.1:{panel.port}/me/login/", timeout=60)
    name, secret = next((name, value) for name, value in answer.cookies.items() if "csrf" in name)
    made = []
    for n in range(count):
        login = "ada@example.com" if n % 2 else f"somebody{n}@example.com"
        body = urlencode({"csrfmiddlewaretoken": secret, "login": login, "password": f"wrong password {n}"})
        made.append(request("POST", "/me/login/", body, Cookie=f"{name}={secret}", X_Forwarded_For=_address(n),
                            Content_Type=FORM))  # fmt: skip
    return made


def wrong_passwords(panel: Panel, count: int = 10_000) -> list[str]:
    """Each for another name, from another address. Three of four are well formed, so that the database is asked."""
    shaped = [credentials.make(credentials.USER_PREFIX) if n % 4 else f"guess{n}" for n in range(count)]
    return [
        request(
            "GET",
            panel.token_request.split(" ")[1],
            X_Forwarded_For=_address(n),
            Authorization=f"Basic {_basic(f'{names.make_username()}:{password}')}",
        )
        for n, password in enumerate(shaped)
    ]


def events(panel: Panel, count: int) -> list[str]:
    """Pushes and pulls in turn of what the registry holds, as it tells of them: one in each envelope."""
    return [
        request("POST", "/registry/events", json.dumps({"events": [_event(n)]}), Content_Type=JSON,
                Authorization=f"Bearer {panel.hook_key}")
        for n in range(count)
    ]  # fmt: skip


def _event(n: int) -> dict[str, Any]:
    target = {
        "mediaType": images.MANIFEST,
        "repository": f"team/image{n % FEW}",
        "tag": f"v{n // FEW % 10}",
        "digest": ONE.digest,
    }
    action = "pull" if n % 2 else "push"
    return {
        "id": f"{random.getrandbits(64):x}-{n}",
        "action": action,
        "target": target,
        "actor": {"name": "ci"},
    }


def _address(n: int) -> str:
    return f"10.{n // 65536 % 256}.{n // 256 % 256}.{n % 256}"


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
