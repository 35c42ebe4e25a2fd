"""A containerd and a Docker engine of our own. Both need root; neither touches the machine's own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts import clients, install, processes

# Isolated: what one namespace has pulled is not handed to another without asking the registry.
CONTAINERD = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{folder}/c.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.metadata.v1.bolt"]
  content_sharing_policy = "isolated"
"""


@dataclass(frozen=True)
class Engine:
    """Where a running engine listens, and its log."""

    socket: Path
    log: Path

    def docker(self, folder: Path) -> clients.Client:
        """A docker command with the credentials in `folder`; its images are those of the whole engine."""
        return clients.docker(folder, f"unix://{self.socket}")

    def buildctl(self, folder: Path) -> clients.Client:
        """A buildctl command with the credentials in `folder`; what was built before is the whole engine's."""
        return clients.buildctl(folder, f"unix://{self.socket}")

    def ctr(self, folder: Path, namespace: str) -> clients.Client:
        """A ctr command with the images of containerd's `namespace`."""
        return clients.ctr(folder, self.socket, namespace)


@contextmanager
def containerd() -> Iterator[Engine]:
    with _short_folder() as folder:
        config = folder / "config.toml"
        config.write_text(CONTAINERD.format(folder=folder))
        command = [install.program("containerd"), "--config", str(config)]
        with _listening("containerd", command, folder / "c.sock") as engine:
            yield engine


@contextmanager
def docker() -> Iterator[Engine]:
    """An engine that loads, pushes and pulls. It has no network for containers: none is ever run."""
    with containerd() as inner, _short_folder() as folder:
        config = folder / "daemon.json"
        config.write_text("{}")  # not the machine's /etc/docker/daemon.json
        options = {
            "config-file": config,
            "containerd": inner.socket,
            "data-root": folder / "data",
            "exec-root": folder / "exec",
            "pidfile": folder / "d.pid",
            "host": f"unix://{folder}/d.sock",
            "storage-driver": "vfs",
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
        }
        command = [install.program("dockerd"), *(f"--{name}={value}" for name, value in options.items())]
        with _listening("dockerd", command, folder / "d.sock") as engine:
            yield engine


@contextmanager
def buildkit() -> Iterator[Engine]:
    """An engine that assembles images. It has no network for what a build would run: none runs anything."""
    with _short_folder() as folder:
        socket, config = folder / "b.sock", folder / "buildkitd.toml"
        config.write_text("")  # not the machine's
        options = {
            "config": config,
            "root": folder / "root",
            "addr": f"unix://{socket}",
            "containerd-worker": "false",
            "oci-worker-snapshotter": "native",
            "oci-worker-net": "host",
        }
        command = [str(install.built("buildkitd")), *(f"--{name}={value}" for name, value in options.items())]
        with _listening("buildkitd", command, socket) as engine:
            yield engine


@contextmanager
def _short_folder() -> Iterator[Path]:
    """A unix socket's path has at most 107 bytes, which pytest's folders exceed."""
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _listening(name: str, command: list[str], socket: Path) -> Iterator[Engine]:
    log = socket.with_suffix(".log")
    process = processes.start(name, command, log=log)
    try:
        process.wait_until(lambda: processes.unix_answers(socket), f"socket {socket}")
        yield Engine(socket, log)
    finally:
        process.stop()
