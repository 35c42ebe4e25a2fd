"""Each client's own words for what all of them do: sign in, push, and pull. A refusal is an answer here.

`name` is `NAMESPACE/IMAGE:TAG`, without the host. What a client printed is what a person would see of it.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import ClassVar

from tests.parts import clients, images
from tests.parts.clients import Client
from tests.parts.engines import Engine

IMAGE = images.Image()


@dataclass(frozen=True)
class Result:
    ok: bool
    printed: str

    @classmethod
    def of(cls, *done: CompletedProcess[str]) -> "Result":
        """All of them as one: the last says whether it went well."""
        return cls(done[-1].returncode == 0, "".join(each.stdout + each.stderr for each in done))


class PushClient:
    """`folder` is its own: home, credentials and images."""

    parts: ClassVar[tuple[str, ...]] = ()
    engine_fixture: ClassVar[str] = ""  # of the engine that it wants

    def __init__(self, host: str, folder: Path, engine: Engine | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.host, self.folder, self.engine = host, folder, engine
        self.run = self.client()

    def client(self) -> Client:
        raise NotImplementedError

    def login(self, username: str, password: str) -> Result:
        raise NotImplementedError

    def push(self, name: str) -> Result:
        raise NotImplementedError

    def pull(self, name: str) -> Result:
        raise NotImplementedError

    def at(self, name: str) -> str:
        return f"{self.host}/{name}"

    def call(self, *words: str | Path, stdin: str = "") -> Result:
        return Result.of(self.run(*words, stdin=stdin, check=False))

    def archive(self, name: str) -> Path:
        """A docker archive that holds the image under that name."""
        return images.write_docker_tar(self.folder / "image.tar", IMAGE, self.at(name))

    def layout(self) -> Path:
        return images.write_layout(self.folder / "layout", IMAGE)


class Skopeo(PushClient):
    parts: ClassVar[tuple[str, ...]] = ("skopeo",)

    def client(self) -> Client:
        return clients.skopeo(self.folder)

    def login(self, username: str, password: str) -> Result:
        return self.call("login", "--username", username, "--password-stdin", self.host, stdin=password)

    def push(self, name: str) -> Result:
        return self.call("copy", f"oci:{self.layout()}:latest", f"docker://{self.at(name)}")

    def pull(self, name: str) -> Result:
        return self.call("copy", f"docker://{self.at(name)}", f"oci:{self.folder / 'back'}:latest")


class Podman(Skopeo):
    parts: ClassVar[tuple[str, ...]] = ("podman",)

    def client(self) -> Client:
        return clients.podman(self.folder)

    def push(self, name: str) -> Result:
        self.run("load", "--input", self.archive(name))
        return self.call("push", self.at(name))

    def pull(self, name: str) -> Result:
        return self.call("pull", self.at(name))


class Buildah(Podman):
    parts: ClassVar[tuple[str, ...]] = ("buildah",)

    def client(self) -> Client:
        return clients.buildah(self.folder)

    def push(self, name: str) -> Result:
        self.run("pull", f"docker-archive:{self.archive(name)}")
        return self.call("push", self.at(name))


class Docker(Skopeo):
    parts: ClassVar[tuple[str, ...]] = ("docker", "containerd")
    engine_fixture = "docker_engine"

    def client(self) -> Client:
        assert self.engine
        return self.engine.docker(self.folder)

    def push(self, name: str) -> Result:
        self.run("load", "--input", self.archive(name))
        return self.call("push", self.at(name))

    def pull(self, name: str) -> Result:
        self.run("rmi", self.at(name), check=False)
        return self.call("pull", self.at(name))


class Ctr(PushClient):
    """It keeps no credentials: they come with each call."""

    parts: ClassVar[tuple[str, ...]] = ("containerd",)
    engine_fixture = "containerd"

    def client(self) -> Client:
        assert self.engine
        self.who = "nobody:asks"
        return self.engine.ctr(self.folder, namespace=self.folder.name)

    def login(self, username: str, password: str) -> Result:
        self.who = f"{username}:{password}"
        return Result(True, "")

    def push(self, name: str) -> Result:
        self.run("images", "import", self.archive(name))
        return self.call("images", "push", "--plain-http", "--user", self.who, self.at(name))

    def pull(self, name: str) -> Result:
        self.run("images", "rm", self.at(name), check=False)
        return self.call("images", "pull", "--plain-http", "--user", self.who, self.at(name))


class Buildctl(PushClient):
    """It signs in with what `docker login` wrote; a pull is a build that starts from the image."""

    parts: ClassVar[tuple[str, ...]] = ("buildctl", "buildkitd")
    engine_fixture = "buildkit"

    def client(self) -> Client:
        assert self.engine
        return self.engine.buildctl(self.folder)

    def login(self, username: str, password: str) -> Result:
        auth = base64.b64encode(f"{username}:{password}".encode()).decode()
        (self.folder / "config.json").write_text(json.dumps({"auths": {self.host: {"auth": auth}}}))
        return Result(True, "")

    def push(self, name: str) -> Result:
        return self.build("FROM scratch\nCOPY Dockerfile /\n", f"type=image,name={self.at(name)},push=true")

    def pull(self, name: str) -> Result:
        steps = f"FROM {self.at(name)}\nCOPY Dockerfile /again\n"
        return self.build(steps, f"type=oci,dest={self.folder / 'back.tar'}")

    def build(self, steps: str, output: str) -> Result:
        context = self.folder / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(steps)
        local = (f"--local=context={context}", f"--local=dockerfile={context}")
        return self.call("build", "--frontend=dockerfile.v0", *local, "--output", output)


class Crane(PushClient):
    """Its login asks nobody: it only writes down."""

    parts: ClassVar[tuple[str, ...]] = ("crane",)

    def client(self) -> Client:
        return clients.of_docker_config("crane", self.folder)

    def login(self, username: str, password: str) -> Result:
        return self.call(
            "auth", "login", "--username", username, "--password-stdin", self.host, stdin=password
        )

    def push(self, name: str) -> Result:
        return self.call("push", self.layout(), self.at(name))

    def pull(self, name: str) -> Result:
        return self.call("pull", self.at(name), self.folder / "back.tar")


class Oras(PushClient):
    parts: ClassVar[tuple[str, ...]] = ("oras",)

    def client(self) -> Client:
        return clients.of_docker_config("oras", self.folder)

    def login(self, username: str, password: str) -> Result:
        words = ("login", "--plain-http", "--username", username, "--password-stdin", self.host)
        return self.call(*words, stdin=password)

    def push(self, name: str) -> Result:
        layout = ("--from-oci-layout", f"{self.layout()}:latest")
        return self.call("copy", *layout, "--to-plain-http", self.at(name))

    def pull(self, name: str) -> Result:
        layout = ("--to-oci-layout", f"{self.folder / 'back'}:latest")
        return self.call("copy", "--from-plain-http", self.at(name), *layout)


class Helm(PushClient):
    """It pushes charts: NAMESPACE/IMAGE:TAG is the chart IMAGE in the version TAG."""

    parts: ClassVar[tuple[str, ...]] = ("helm",)

    def client(self) -> Client:
        return clients.of_docker_config("helm", self.folder)

    def login(self, username: str, password: str) -> Result:
        words = ("registry", "login", "--plain-http", "--username", username, "--password-stdin", self.host)
        return self.call(*words, stdin=password)

    def push(self, name: str) -> Result:
        namespace, _slash, chart = name.rpartition("/")
        image, _colon, version = chart.partition(":")
        folder = self.folder / image
        folder.mkdir(exist_ok=True)
        about = {"apiVersion": "v2", "name": image, "version": version}
        (folder / "Chart.yaml").write_text(json.dumps(about))
        self.run("package", folder, "--destination", self.folder)
        return self.call(
            "push", "--plain-http", self.folder / f"{image}-{version}.tgz", f"oci://{self.at(namespace)}"
        )

    def pull(self, name: str) -> Result:
        chart, _colon, version = self.at(name).rpartition(":")
        words = ("--version", version, "--destination", self.folder)
        return self.call("pull", "--plain-http", f"oci://{chart}", *words)


class Regctl(PushClient):
    parts: ClassVar[tuple[str, ...]] = ("regctl",)

    def client(self) -> Client:
        return clients.of_docker_config("regctl", self.folder)

    def login(self, username: str, password: str) -> Result:
        self.run("registry", "set", "--skip-check", "--tls=disabled", self.host)
        return self.call("registry", "login", "--user", username, "--pass-stdin", self.host, stdin=password)

    def push(self, name: str) -> Result:
        return self.call("image", "copy", f"ocidir://{self.layout()}:latest", self.at(name))

    def pull(self, name: str) -> Result:
        return self.call("image", "copy", self.at(name), f"ocidir://{self.folder / 'back'}:latest")


ALL: dict[str, type[PushClient]] = {
    kind.__name__.lower(): kind
    for kind in (Docker, Skopeo, Podman, Buildah, Buildctl, Ctr, Crane, Oras, Helm, Regctl)
}
