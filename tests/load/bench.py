"""`make bench`: what a token and a sync cost, beside the bare thing, in one run on one machine.

Each server is one Granian process on core 0, wrk on core 1. Read the ratios; the figures are this machine's.
"""

import base64
import os
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

from tests.load.events import measure as measure_events
from tests.load.sync import measure as measure_sync
from tests.parts import postgres, processes

SECONDS = "3s"
SERVICE = "localhost:5000"


@dataclass(frozen=True)
class Measured:
    rate: float
    p99: str


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; run: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        print("TOKENS, one worker on one core; share = part of the bare signature's rate")
        print(f"{'server':<34}{'4 connections':>24}{'32 connections':>24}{'share':>8}")
        bare = environment(folder / "sqlite", "")
        with serving("tests.load.servers:ok", bare) as url:
            row("bare ok", url, {}, None)
        with serving("tests.load.servers:signed", bare) as url:
            signed = row("bare signed token", url, {}, None)
        tokens("SQLite", bare, signed)
        with postgres.running() as address:
            tokens("PostgreSQL", environment(folder / "postgresql", address), signed)
        print("statements per token request: 1, prepared (asserted in tests/integration/registry_sync)\n")
        measure_events(folder / "events")
        measure_sync(folder)


def tokens(name: str, env: dict[str, str], signed: float) -> None:
    manage(env, "migrate", "--verbosity", "0")
    world = (Path(__file__).parent / "world.py").read_text()
    username, password = manage(env, "shell", "--verbosity", "0", "--command", world).split()[-2:]
    basic = base64.b64encode(f"{username}:{password}".encode()).decode()
    with serving("manager.wsgi:application", env) as url:
        for count in (1, 10):
            scopes = [("scope", f"repository:space{n}/image{n % 10}:pull,push") for n in range(count)]
            query = urlencode([("service", SERVICE), *scopes])
            label = f"token, {count} scope{'s' if count > 1 else ''}, {name}"
            row(label, f"{url}auth/token?{query}", {"Authorization": f"Basic {basic}"}, signed)


def row(label: str, url: str, headers: dict[str, str], signed: float | None) -> float:
    load(url, headers, 4)  # warm
    few, many = load(url, headers, 4), load(url, headers, 32)
    share = f"{many.rate / signed:.0%}" if signed else ""
    cells = (f"{each.rate:,.0f}/s p99 {each.p99}" for each in (few, many))
    print(f"{label:<34}" + "".join(f"{cell:>24}" for cell in cells) + f"{share:>8}", flush=True)
    return many.rate


def load(url: str, headers: dict[str, str], connections: int) -> Measured:
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = [
        "taskset",
        "-c",
        "1",
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
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+(\S+)", text)
    assert rate
    assert p99
    return Measured(float(rate[1]), p99[1])


@contextmanager
def serving(application: str, env: dict[str, str]) -> Iterator[str]:
    port = processes.free_port()
    command = ["taskset", "-c", "0", sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port),
               "--workers", "1", "--blocking-threads", "1", "--log-level", "critical", application]  # fmt: skip
    log = Path(env["DATA_DIR"]) / "granian.log"
    server = processes.start("granian", command, log=log, env=env)
    try:
        server.wait_until(lambda: processes.tcp_answers(port), "answer")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.stop()


def environment(folder: Path, address: str) -> dict[str, str]:
    folder.mkdir()
    env = os.environ | {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    if address:
        env["DATABASE_URL"] = address
    manage(env, "prepare")
    return env


def manage(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
