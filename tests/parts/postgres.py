"""A PostgreSQL cluster for one test run: temporary, fast, unsafe against power cuts."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts import install, processes

# Durability is for data that anybody wants back.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@dataclass
class Cluster:
    """`stop()` and `restart()` play an outage: same port, same data."""

    port: int
    folder: Path
    user: str | None
    process: processes.Running

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        self.stop()
        self.process = _serve(self.port, self.folder, self.user)


@contextmanager
def running() -> Iterator[str]:
    """Run a cluster; yields its URL."""
    with cluster() as made:
        yield made.url


@contextmanager
def cluster() -> Iterator[Cluster]:
    """PostgreSQL refuses root, so root runs it as the system's `postgres`."""
    # Not below pytest's temporary folder, which is closed to others and too long for a unix socket's path.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    try:
        _make(folder, user)
        port = processes.free_port()
        made = Cluster(port, folder, user, _serve(port, folder, user))
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


def _make(folder: Path, user: str | None) -> None:
    command = [install.program("initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust",
               "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]  # fmt: skip
    groups: list[str] | None = None if user is None else []
    subprocess.run(
        command, check=True, capture_output=True, cwd=folder, user=user, group=user, extra_groups=groups
    )


def _serve(port: int, folder: Path, user: str | None) -> processes.Running:
    places = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
    options = [option for name, value in (UNSAFE | places).items() for option in ("-c", f"{name}={value}")]
    server = processes.start(
        "postgres",
        [install.program("postgres"), "-D", str(folder / "data"), *options],
        log=folder / "postgres.log",
        cwd=folder,
        user=user,
        goodbye=signal.SIGINT,  # "fast": SIGTERM would wait for every connection to close by itself
    )
    server.wait_until(lambda: _accepts(port), f"open port {port}")
    return server


def _accepts(port: int) -> bool:
    """An open port is not enough: the server refuses sessions while it is starting up."""
    command = [install.program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0
