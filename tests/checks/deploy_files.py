"""Ask the programs themselves about the files in deploy/ and at the top. Usage: deploy_files.

What is wrong is printed, and the exit code is 1. A program that is not installed is named, and its files are left
alone: `tests/contract/test_deploy_files.py` asks the same, where all of them are.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.parts import install, processes, proxies

ROOT = install.ROOT
COMPOSE, MACHINES = "compose.yaml", "deploy/compose.machines.yaml"
# What operators write into .env (docs/several-machines.md).
ENV = {
    "PANEL_HOST": "registry.example.com",
    "DATABASE_URL": "postgresql://panel@db.example.com/panel",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "REGISTRIES_REDIS": "redis.example.com:6380",
    "MACHINE": "10.0.0.1",
    "WEB": "10.0.0.1:8000 10.0.0.2:8000",
    "TOKENS": "10.0.0.1:8001 10.0.0.2:8001",
    "REGISTRIES": "10.0.0.1:5000 10.0.0.2:5000",
    "S3_BUCKET": "images",
    "S3_ENDPOINT": "https://store.example.com",
    "S3_ACCESS_KEY": "name",
    "S3_SECRET_KEY": "any",
}
OF_CADDY = {"SITES": "registry.example.com", "TLS": ""}
PLACES = {
    "/opt/registry-manager/.venv/bin/python",
    "/opt/registry-manager/.venv/bin/celery",
    "/usr/local/bin/registry",
}
EXPOSURE = "25"  # of systemd-analyze, in tenths: 0 is locked in, 100 unprotected


def nginx(root: Path, folder: Path) -> Iterator[str]:
    at = proxies.Upstreams(web=(1, 2), tokens=(3, 4), registry=(5, 6))
    file = folder / "nginx.conf"
    change = proxies.with_certificate(folder / "tls", processes.free_port())
    file.write_text(proxies.nginx_text(folder, change, at, root))
    yield from _failure([install.program("nginx"), "-q", "-t", "-c", str(file), "-p", str(folder)])


def caddy(root: Path, folder: Path) -> Iterator[str]:
    env = {"HOME": str(folder), **OF_CADDY, **ENV}
    for file in proxies.CADDY.values():
        words = ["validate", "--adapter", "caddyfile", "--config", str(root / file)]
        yield from _failure([str(install.built("caddy")), *words], env)


def compose(root: Path, folder: Path) -> Iterator[str]:
    program, first = str(install.built("compose-files")), str(root / COMPOSE)
    yield from _failure([program, first], {"HOME": str(folder), "PANEL_HOST": ENV["PANEL_HOST"]})
    yield from _failure([program, first, str(root / MACHINES)], {"HOME": str(folder), **ENV})


def systemd(root: Path, folder: Path) -> Iterator[str]:
    """It wants to find each program, so all stand for one that is everywhere; it warns, and ends with 0."""
    units = []
    for unit in sorted((root / "deploy/systemd").glob("*.service")):
        text = unit.read_text()
        for place in PLACES:
            text = text.replace(place, "/bin/sh")
        units.append(folder / unit.name)
        units[-1].write_text(text)
    program = install.program("systemd-analyze")
    yield from _failure([program, "verify", *map(str, units)], silent=True)
    for unit in units:
        yield from _failure([program, "security", "--offline=true", f"--threshold={EXPOSURE}", str(unit)])


def prometheus(root: Path, folder: Path) -> Iterator[str]:
    """It wants to find the key; each rule has a test that it fires."""
    (folder / "key").write_text("any")
    for file in sorted((root / "deploy/prometheus").glob("*.yml")):
        text = file.read_text().replace("/run/secrets/metrics.key", str(folder / "key"))
        (folder / file.name).write_text(text)
    program = install.program("promtool")
    yield from _failure([program, "check", "config", str(folder / "prometheus.yml")])
    yield from _failure([program, "test", "rules", str(folder / "alerts_test.yml")])


def grafana(root: Path, folder: Path) -> Iterator[str]:
    """Whether it is JSON with a title and panels; tests/contract/test_metrics.py asks each question of it."""
    for file in sorted((root / "deploy/grafana").glob("*.json")):
        try:
            board = json.loads(file.read_text())
        except ValueError as error:
            yield f"{file.name}: {error}"
            continue
        if not board.get("title") or not board.get("panels"):
            yield f"{file.name}: no dashboard"


@dataclass(frozen=True)
class Check:
    part: str  # of tests/parts/install.py; "": none is needed
    ask: Callable[[Path, Path], Iterator[str]]  # the root of the files, a folder for what it writes


CHECKS = (
    Check("nginx", nginx),
    Check("caddy", caddy),
    Check("compose-files", compose),
    Check("systemd", systemd),
    Check("prometheus", prometheus),
    Check("", grafana),
)


def _failure(
    command: Sequence[str], env: dict[str, str] | None = None, *, silent: bool = False
) -> Iterator[str]:
    """Yield what it printed if it failed; where it has to be silent, if it printed anything."""
    path = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=path | (env or {}), stdin=subprocess.DEVNULL
    )
    said = f"{done.stdout}{done.stderr}".strip()
    if done.returncode or (silent and said):
        yield f"{Path(command[0]).name}: {said[-3000:]}"


def problems(check: Check, root: Path = ROOT) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return list(check.ask(root, Path(folder)))


def main() -> int:
    found = []
    for check in CHECKS:
        if check.part and (absent := install.left_out(check.part) or install.missing(check.part)):
            print(f"Not checked: {absent}")
        else:
            found += problems(check)
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
