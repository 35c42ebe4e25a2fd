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

from tests.parts import certificates, install, processes

PATIENT = f"connect_timeout={processes.PATIENCE}"
# Durability is for data that anybody wants back.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@dataclass
class Cluster:
    """`stop()` and `restart()` play an outage: same port, same data."""

    port: int
    folder: Path
    user: str | None
    settings: dict[str, str]
    process: processes.Running

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def patient_url(self) -> str:
        """For a panel, which by itself gives a connection 2 seconds to be made: too few on a busy machine."""
        return f"{self.url}?{PATIENT}"

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        self.stop()
        self.process = _serve(self.port, self.folder, self.user, self.settings)


@contextmanager
def running() -> Iterator[str]:
    """Run a cluster; yields its URL."""
    with cluster() as made:
        yield made.url


@contextmanager
def cluster(*, tls: certificates.Files | None = None) -> Iterator[Cluster]:
    """PostgreSQL refuses root, so root runs it as the system's `postgres`."""
    # Not below pytest's temporary folder, which is closed to others and too long for a unix socket's path.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    try:
        _make(folder, user)
        port, settings = processes.free_port(), _tls(tls, folder, user) if tls else {}
        made = Cluster(port, folder, user, settings, _serve(port, folder, user, settings))
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


def _tls(files: certificates.Files, folder: Path, user: str | None) -> dict[str, str]:
    """The server reads no key but its own user's."""
    settings = {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
    for path in (files.certificate, files.key):
        copied = shutil.copy(path, folder / "data" / path.name)
        if user:
            shutil.chown(copied, user, user)
    return settings


def _serve(port: int, folder: Path, user: str | None, settings: dict[str, str]) -> processes.Running:
    places = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
    options = [
        option for name, value in (UNSAFE | places | settings).items() for option in ("-c", f"{name}={value}")
    ]
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
