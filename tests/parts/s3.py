"""Object storage that speaks S3, kept in memory only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import install, processes

BUCKET = "images"


@dataclass
class RunningStore:
    port: int
    process: processes.Running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def section(self) -> dict[str, Any]:
        """`storage.s3` of a registry's configuration, as docs/operations.md says it."""
        return {
            "bucket": BUCKET,
            "region": "us-east-1",
            "regionendpoint": self.url,
            "forcepathstyle": True,
            "secure": False,
            "accesskey": "registry",
            "secretkey": "any",
        }


@contextmanager
def running(folder: Path) -> Iterator[RunningStore]:
    program = install.built("object storage")
    if program is None:
        raise FileNotFoundError("object storage")
    port = processes.free_port()
    command = [
        str(program),
        "-backend",
        "memory",
        "-host",
        f"127.0.0.1:{port}",
        "-initialbucket",
        BUCKET,
        "-quiet",
    ]
    process = processes.start("object storage", command, log=folder / "store.log")
    try:
        process.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
        yield RunningStore(port, process)
    finally:
        process.stop()
