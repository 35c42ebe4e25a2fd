"""Real registries: Debian's Distribution 2.8 and upstream's 3.1."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.parts import install, processes

Version = Literal["2.8", "3.1"]
VERSIONS: tuple[Version, ...] = ("2.8", "3.1")


@dataclass
class RunningRegistry:
    """`host` is what people type before an image's name; `url` is where programs reach it."""

    version: Version
    port: int
    config: Path
    log: Path
    process: processes.Running

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        """Stop it if it runs, then start it: same port, same images, its configuration file read anew."""
        self.stop()
        self.process = _serve(self.version, self.config, self.log, self.url)


def start(version: Version, config: Mapping[str, Any], root: Path) -> RunningRegistry:
    """Run a registry in `root`. Each section of `config` replaces ours; without `http.addr` a port is found.

    Without an `auth` section everybody may do everything.
    """
    http = {"addr": f"127.0.0.1:{processes.free_port()}", "secret": "tests"} | dict(config.get("http", {}))
    whole = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(root / "data")},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": True},
        },
    }
    whole |= {**config, "http": http}
    file, log = root / "registry.yml", root / "registry.log"
    file.write_text(json.dumps(whole, indent=1))  # JSON is YAML
    port = int(str(http["addr"]).rpartition(":")[2])
    process = _serve(version, file, log, f"http://127.0.0.1:{port}")
    return RunningRegistry(version, port, file, log, process)


def binary(version: Version) -> str | Path:
    """The program, also for `garbage-collect`; FileNotFoundError when it is not installed."""
    if version == "2.8":
        return install.program("docker-registry")
    built = install.built("registry 3.1")
    if built is None:
        raise FileNotFoundError("registry 3.1")
    return built


def _serve(version: Version, config: Path, log: Path, url: str) -> processes.Running:
    command = [binary(version), "serve", config]
    server = processes.start(f"registry {version}", command, log=log, env=environment())
    server.wait_until(lambda: processes.http_answers(url), f"answer at {url}")
    return server


def environment() -> dict[str, str]:
    """Return our own without what a registry reads.

    Each REGISTRY_* variable overrides the file, even podman's REGISTRY_AUTH_FILE, and an AWS_* one is for S3; 3.x
    traces if let.
    """
    theirs = ("REGISTRY_", "AWS_")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    return ours | {"OTEL_TRACES_EXPORTER": "none"}
