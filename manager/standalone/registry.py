"""Finds a Distribution registry on this machine and says how to start it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.conf import settings

IMAGE = "registry:3"
RELEASES = "https://github.com/distribution/distribution/releases"
WANTED = (
    f"No registry was found. Start a Docker engine, or put Distribution's `registry` ({RELEASES}) on the PATH; on "
    "Debian and Ubuntu it is enough that `apt-get download docker-registry` works."
)


class NoRegistryError(Exception):
    """Nothing on this machine can serve as the registry; the message says what to install."""


def command(config: Path, data: Path) -> list[str]:
    """Return the command line that serves `config` in the foreground. Raise NoRegistryError when there is none."""
    if binary := _installed() or _unpacked():
        return [str(binary), "serve", str(config)]
    if engine := _engine():
        return _container(config, data, engine)
    if binary := _from_debian():
        return [str(binary), "serve", str(config)]
    raise NoRegistryError(WANTED)


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


def _from_debian() -> Path | None:
    """Unpack Debian's package into the data folder: installing it would start its system service."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:
            _output(["apt-get", "update", "--quiet"], folder, seconds=180)
        _output(["apt-get", "download", "docker-registry"], folder, seconds=180)
        for package in Path(folder).glob("docker-registry_*.deb"):
            _output(["dpkg-deb", "--extract", str(package), str(_tools())], folder)
    return _unpacked()


def _output(argv: list[str], folder: str | None = None, *, seconds: int = 20) -> str:
    """Return what the command printed; "" when it failed."""
    try:
        done = subprocess.run(  # noqa: S603 (fixed names, no shell)
            argv, cwd=folder, timeout=seconds, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
