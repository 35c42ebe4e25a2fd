"""The command-line clients people use, each with a home, credentials and storage of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess, run

from tests.parts import install
from tests.parts.processes import PATIENCE


class ClientError(AssertionError):
    """A client ended with an error; the text holds what it printed."""


@dataclass(frozen=True)
class Client:
    """Call it with the client's own words: `skopeo("list-tags", "docker://localhost:5000/a/b")`.

    `flags` are added after the first word: what it needs to hear to speak plain http.
    """

    command: tuple[str, ...]
    env: Mapping[str, str]
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, *words: str | Path, stdin: str = "", check: bool = True) -> CompletedProcess[str]:
        """Run it to its end. Failing is a ClientError, unless `check` is off: refusals are answers."""
        verb, *rest = map(str, words)
        command = [*self.command, verb, *self.flags.get(verb, ()), *rest]
        done = run(
            command, input=stdin, check=False, capture_output=True, text=True, env=self.env, timeout=PATIENCE
        )
        if check and done.returncode != 0:
            raise ClientError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done


INSECURE = ("--tls-verify=false",)
SKOPEO = dict.fromkeys(("login", "list-tags", "inspect", "delete"), INSECURE) | {
    "copy": ("--src-tls-verify=false", "--dest-tls-verify=false")
}
PODMAN = dict.fromkeys(("login", "push", "pull", "search"), INSECURE)


def skopeo(folder: Path) -> Client:
    return Client((install.program("skopeo"),), _environment(folder) | _auth_file(folder), SKOPEO)


def podman(folder: Path) -> Client:
    """Its storage lies in `folder`; `podman("import", tar, name)` makes an image without a network."""
    storage, engine = folder / "storage.conf", folder / "containers.conf"
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder / "images"}"\nrunroot = "{folder / "run"}"\n'
    )
    # No containers run here: cgroups and the journal are only asked for to fail on.
    engine.write_text(
        '[containers]\ncgroups = "disabled"\n'
        f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\ntmp_dir = "{folder / "tmp"}"\n'
    )
    configured = {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(engine)}
    environment = _environment(folder) | _auth_file(folder) | configured
    return Client((install.program("podman"),), environment, PODMAN)


def buildah(folder: Path) -> Client:
    """Its storage lies in `folder`; `buildah("pull", "docker-archive:FILE")` makes an image without a network."""
    return Client((install.program("buildah"),), podman(folder).env, PODMAN)


def of_docker_config(name: str, folder: Path) -> Client:
    """crane, oras, helm and regctl: they keep their credentials in `folder`, in a config.json or as if."""
    own = {"DOCKER_CONFIG": str(folder), "REGCTL_CONFIG": str(folder / "regctl.json")}
    return Client((str(install.built(name)),), _environment(folder) | own)


def buildctl(folder: Path, engine: str) -> Client:
    """BuildKit's command against the engine at `engine` (unix:///…); docker's config.json in `folder` signs in."""
    environment = _environment(folder) | {"BUILDKIT_HOST": engine, "DOCKER_CONFIG": str(folder)}
    return Client((str(install.built("buildctl")),), environment)


def docker(folder: Path, engine: str) -> Client:
    """Docker's own command against the engine at `engine` (unix:///…); credentials stay in `folder`."""
    environment = _environment(folder) | {"DOCKER_HOST": engine, "DOCKER_CONFIG": str(folder)}
    return Client((install.program("docker"),), environment)


def ctr(folder: Path, socket: Path, namespace: str) -> Client:
    """containerd's command; every push and pull wants `--plain-http` and, if any, `--user name:secret`."""
    command = (install.program("ctr"), "--address", str(socket), "--namespace", namespace)
    return Client(command, _environment(folder))


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the person's own: no proxy, no home, no DOCKER_* or REGISTRY_* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}


def _auth_file(folder: Path) -> dict[str, str]:
    file = folder / "auth.json"
    file.write_text(json.dumps({"auths": {}}))  # podman refuses a file that is named and does not exist
    return {"REGISTRY_AUTH_FILE": str(file)}
