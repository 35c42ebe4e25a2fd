"""Finds a Distribution registry on this machine and says how to start it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from accounts.common import secret_files

IMAGE = "registry:3"
RELEASES = "https://github.com/distribution/distribution/releases"
WANTED = (
    f"No registry was found. Start a Docker engine, or put Distribution's `registry` ({RELEASES}) on the PATH; on "
    "Debian and Ubuntu it is enough that `apt-get download docker-registry` works."
)


class NoRegistryError(Exception):
    """Nothing on this machine can serve as the registry; the message says what to install."""


class Commands(NamedTuple):
    """Two command lines of one registry: `serve` its configuration in the foreground, and run it for something else.

    What else, and the configuration, follow `other`.
    """

    serve: list[str]
    other: list[str]


def commands(config: Path, data: Path) -> Commands:
    """Raise NoRegistryError when there is no registry."""
    if binary := _installed() or _unpacked():
        return Commands([str(binary), "serve", str(config)], [str(binary)])
    if engine := _engine():
        return Commands(_container(config, data, engine), _other_container(config, data))
    if binary := _from_debian():
        return Commands([str(binary), "serve", str(config)], [str(binary)])
    raise NoRegistryError(WANTED)


def keep(commands: Commands) -> None:
    """Write them down: the garbage collection must be of the registry that runs, whatever another PATH would find."""
    secret_files.replace(_kept(), json.dumps(commands).encode())


def is_kept() -> bool:
    """Whether `make run` ever kept a registry in this data folder."""
    return _kept().exists()


def kept() -> Commands:
    """Return what `keep` has written. Raise NoRegistryError when nothing was."""
    try:
        return Commands(*json.loads(_kept().read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise NoRegistryError(f"{_kept()} cannot be read; restart `make run`.") from error


def _kept() -> Path:
    return Path(settings.DATA_DIR) / "registry.commands"


def environment() -> dict[str, str]:
    """Return what its processes get. Without our REGISTRY_...: it would take them for parts of its configuration."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    # Go collects its garbage earlier than it would: some megabytes less for little more work.
    return {"GOGC": "40", **ours, "OTEL_TRACES_EXPORTER": "none"}


def _installed() -> Path | None:
    """By its version text: other programs are called `registry` too."""
    for name in ("registry", "docker-registry"):
        path = shutil.which(name)
        if path and "distribution" in _output([path, "--version"]):
            return Path(path)
    return None


def _tools() -> Path:
    return Path(settings.DATA_DIR) / "tools"


def _unpacked() -> Path | None:
    path = _tools() / "usr" / "bin" / "docker-registry"
    return path if path.exists() else None


def _engine() -> str:
    """Return what a Docker engine says of itself; "" where none runs, or the image can be had from nowhere."""
    if not shutil.which("docker"):
        return ""
    about = _output(["docker", "info", "--format", "{{.OperatingSystem}} {{.SecurityOptions}}"])
    if not about.strip():
        return ""
    # Before the parts start: they are given a minute to answer, and a first pull may take longer.
    image = _output(["docker", "image", "inspect", IMAGE]) or _output(["docker", "pull", IMAGE], seconds=600)
    return about if image else ""


def _container(config: Path, data: Path, engine: str) -> list[str]:
    """Return the command of a container on the host's network, to reach the panel with its events.

    Docker Desktop and rootless Docker have another one; there its port is published, no event comes, and what is pushed
    shows with the next sync.
    """
    port = settings.REGISTRY_PORT
    apart = "Docker Desktop" in engine or "name=rootless" in engine
    published = ("--publish", f"127.0.0.1:{port}:{port}", "--env", f"REGISTRY_HTTP_ADDR=:{port}")
    return [
        *("docker", "run", "--rm", "--user", f"{os.getuid()}:{os.getgid()}"),
        *(published if apart else ("--network", "host")),
        *("--env", "OTEL_TRACES_EXPORTER=none"),
        *("--volume", f"{config.parent}:{config.parent}:ro", "--volume", f"{data}:{data}"),
        *(IMAGE, "serve", str(config)),
    ]


def _other_container(config: Path, data: Path) -> list[str]:
    volumes = ("--volume", f"{config.parent}:{config.parent}:ro", "--volume", f"{data}:{data}")
    user = ("--user", f"{os.getuid()}:{os.getgid()}")
    return ["docker", "run", "--rm", *user, "--env", "OTEL_TRACES_EXPORTER=none", *volumes, IMAGE]


def _from_debian() -> Path | None:
    """Unpack Debian's package into the data folder: installing it would start its system service."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    with _interruptible(), tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:
            _output(["apt-get", "update", "--quiet"], folder, seconds=180)
        _output(["apt-get", "download", "docker-registry"], folder, seconds=180)
        for package in Path(folder).glob("docker-registry_*.deb"):
            _output(["dpkg-deb", "--extract", str(package), str(_tools())], folder)
    return _unpacked()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C leave nothing behind, where it would end the process (manage.py)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _output(argv: list[str], folder: str | None = None, *, seconds: int = 20) -> str:
    """Return what the command printed; "" when it failed."""
    try:
        done = subprocess.run(  # noqa: S603 (fixed names, no shell)
            argv, cwd=folder, timeout=seconds, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
