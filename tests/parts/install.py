"""Finds the real parts the tests run against and installs the missing ones.

    python tests/parts/install.py [--check]

Debian packages are installed when run as root; otherwise the commands to run are printed.
`--check` installs nothing. Ends with 1 when something needed is missing.
Standard library only: it may run before any environment exists.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Part:
    """`packages` unknown to this Debian are left out (docker-cli is part of docker.io before 13)."""

    name: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    serves: str


@dataclass(frozen=True)
class GoProgram:
    """No Debian package has it; Go builds it from its published module."""

    program: str
    module: str
    version: str
    serves: str

    @property
    def stamp(self) -> str:
        return f".{self.program}-{self.version}"

    @property
    def command(self) -> list[str]:
        return ["install", f"{self.module}@{self.version}"]


@dataclass(frozen=True)
class GoProgramInModule(GoProgram):
    """Its module leaves versions out, which Go heeds only inside of it: `package` is built where it was downloaded."""

    package: str

    @property
    def command(self) -> list[str]:
        asked = ["go", "mod", "download", "-json", f"{self.module}@{self.version}"]
        told = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=tempfile.gettempdir())
        return ["-C", json.loads(told.stdout)["Dir"], "install", self.package]


@dataclass(frozen=True)
class OwnGoProgram:
    """Its source is here, in `folder`, with the sums of what it needs."""

    program: str
    folder: Path
    serves: str

    @property
    def stamp(self) -> str:
        """Of what it is built from: who changes that gets a new one."""
        files = [file.read_bytes() for file in sorted(self.folder.glob("*"))]
        return f".{self.program}-{hashlib.sha256(b''.join(files)).hexdigest()[:12]}"

    @property
    def command(self) -> list[str]:
        return ["-C", str(self.folder), "install", "."]


@dataclass(frozen=True)
class NodePackage:
    """npm installs what the lock file in `folder` names, with its sums; the folder's own scripts come along."""

    folder: Path
    serves: str

    @property
    def stamp(self) -> str:
        files = [file.read_bytes() for file in sorted(self.folder.glob("*"))]
        return hashlib.sha256(b"".join(files)).hexdigest()[:12]


NODE_LEAST = 20
NODE_PACKAGES = {
    "oidc-provider": NodePackage(ROOT / "tests/parts/node_oidc_provider", "people sign in at it"),
}
GO_PROGRAMS: dict[str, GoProgram | OwnGoProgram] = {
    "registry 3.1": GoProgram(
        "registry", "github.com/distribution/distribution/v3/cmd/registry", "v3.1.2", "upstream's registry"
    ),
    "object storage": GoProgram(
        "gofakes3",
        "github.com/johannesboyne/gofakes3/cmd/gofakes3",
        "v1.2.0",
        "S3 for a registry to store in",
    ),
    "caddy": GoProgram("caddy", "github.com/caddyserver/caddy/v2/cmd/caddy", "v2.11.9", "the shipped proxy"),
    "crane": GoProgram(
        "crane", "github.com/google/go-containerregistry/cmd/crane", "v0.22.1", "a registry client"
    ),
    "oras": GoProgram("oras", "oras.land/oras/cmd/oras", "v1.3.6", "a registry client"),
    "regctl": GoProgram(
        "regctl", "github.com/regclient/regclient/cmd/regctl", "v0.11.7", "a registry client"
    ),
    "buildctl": GoProgramInModule(
        "buildctl", "github.com/moby/buildkit", "v0.34.2", "a registry client that builds", "./cmd/buildctl"
    ),
    "buildkitd": GoProgramInModule(
        "buildkitd", "github.com/moby/buildkit", "v0.34.2", "what builds for buildctl", "./cmd/buildkitd"
    ),
    "helm": GoProgram("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.0", "the registry client of charts"),
    "go-manifests": OwnGoProgram(
        "go-manifests", ROOT / "tests/parts/go_manifests", "what Go takes a manifest for"
    ),
    "compose-files": OwnGoProgram(
        "compose-files", ROOT / "tests/parts/compose_files", "how Compose reads its files"
    ),
}
PARTS = {
    part.name: part
    for part in (
        Part("postgresql", ("initdb", "postgres", "pg_isready"), ("postgresql",), "the production database"),
        Part("pgbouncer", ("pgbouncer",), ("pgbouncer",), "a connection pooler before PostgreSQL"),
        Part("redis", ("redis-server",), ("redis-server",), "the production broker and cache"),
        Part("registry 2.8", ("docker-registry",), ("docker-registry",), "the registry, Debian's release"),
        Part("skopeo", ("skopeo",), ("skopeo",), "a registry client"),
        Part("podman", ("podman",), ("podman",), "a registry client"),
        Part("buildah", ("buildah",), ("buildah",), "a registry client that builds"),
        Part("containerd", ("containerd", "ctr"), ("containerd",), "the registry client of Kubernetes nodes"),
        Part("docker", ("dockerd", "docker"), ("docker.io", "docker-cli"), "a registry client"),
        Part(
            "chromium",
            ("chromium-headless-shell",),
            ("chromium-headless-shell", "fonts-liberation"),
            "the browser of end-to-end tests",
        ),
        Part("nginx", ("nginx",), ("nginx-light",), "the documented proxy"),
        Part("systemd", ("systemd-analyze",), ("systemd",), "what checks the units of deploy/"),
        Part("node", ("node", "npm"), ("nodejs", "npm"), "a sign-in provider runs on it"),
        Part("curl", ("curl", "jq"), ("curl", "jq"), "what the scripts of CI jobs use"),
        Part("openssl", ("openssl",), ("openssl",), "a shell verifies signatures with it"),
        Part("prometheus", ("prometheus", "promtool"), ("prometheus",), "what scrapes the panel"),
        Part("wrk", ("wrk",), ("wrk",), "the load of the benchmark"),
    )
}


def main(arguments: list[str]) -> int:
    install = "--check" not in arguments and os.geteuid() == 0 and shutil.which("apt-get") is not None
    absent = [part for part in PARTS.values() if missing(part.name)]
    if install and absent:
        _install_packages(absent)
    if "--check" not in arguments:
        for program in GO_PROGRAMS.values():
            _build(program)
        for name in NODE_PACKAGES:
            _install_node_package(name)
    sentences = [sentence for name in [*PARTS, *GO_PROGRAMS, *NODE_PACKAGES] if (sentence := missing(name))]
    for sentence in sentences or ["Every part is here."]:
        _say(sentence)
    for reason in filter(None, map(left_out, [*GO_PROGRAMS, *NODE_PACKAGES])):
        _say(reason)
    return 1 if sentences else 0


Find = Callable[[str], str | None]


def find(program: str) -> str | None:
    """The program's path; also where an ordinary person's PATH does not lead."""
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    system = ["/usr/local/sbin", "/usr/sbin", "/sbin"]
    folders = [os.environ.get("PATH", ""), *system, *map(str, reversed(postgresql))]
    return shutil.which(program, path=os.pathsep.join(folders))


def program(name: str) -> str:
    """The path of a program that `missing` has said to be here; FileNotFoundError otherwise."""
    path = find(name)
    if path is None:
        raise FileNotFoundError(name)
    return path


def built(name: str) -> Path | None:
    """What this script built, in the version that is wanted. A run with its own DATA_DIR uses the working copy's."""
    wanted = GO_PROGRAMS[name]
    folders = (folder / "parts" / "bin" for folder in (_data_dir(), ROOT / "var"))
    paths = (folder / wanted.program for folder in folders if (folder / wanted.stamp).exists())
    return next((path for path in paths if path.is_file()), None)


def installed(name: str) -> Path | None:
    """Return the folder of a package for Node.js that this script installed, in the version that is wanted."""
    folders = (_node_folder(data, name) for data in (_data_dir(), ROOT / "var"))
    return next((folder for folder in folders if (folder / "node_modules").is_dir()), None)


def missing(name: str, find: Find = find) -> str | None:
    """None, or one sentence that says what is missing and the command that installs it."""
    if name in GO_PROGRAMS:
        if built(name) or left_out(name):
            return None
        return f"{name} is missing ({GO_PROGRAMS[name].serves}). Build it: python tests/parts/install.py"
    if name in NODE_PACKAGES:
        if installed(name) or left_out(name):
            return None
        return f"{name} is missing ({NODE_PACKAGES[name].serves}). Install it: python tests/parts/install.py"
    part = PARTS[name]
    absent_programs = [wanted for wanted in part.programs if find(wanted) is None]
    if not absent_programs:
        return None
    command = f"apt-get install -y --no-install-recommends {' '.join(_known(part.packages))}"
    return f"{name} is missing ({part.serves}; no {', '.join(absent_programs)}). Install it: {command}"


def left_out(name: str) -> str | None:
    """None, or why a part cannot be had on this machine; tests that need it are skipped, everywhere."""
    if name in GO_PROGRAMS and built(name) is None and shutil.which("go") is None:
        return (
            f"Tests with {name} are left out: no Debian package has it, "
            "and without Go (https://go.dev/dl/, 1.26 or newer) it cannot be built."
        )
    if name in NODE_PACKAGES and 0 < _node_version() < NODE_LEAST:
        return (
            f"Tests with {name} are left out: it needs Node.js {NODE_LEAST} or newer "
            f"(https://nodejs.org/), and this is {_node_version()}."
        )
    return None


def _node_version() -> int:
    """The major version; 0 where there is none."""
    node = find("node")
    said = (
        subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
        if node
        else ""
    )
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def _install_packages(parts: list[Part]) -> None:
    _say("Reading the package lists (apt-get update) …")
    _apt("update")
    with _no_services_started():
        for part in parts:
            packages = _known(part.packages)
            _say(f"Installing {' '.join(packages)}: {part.serves} …")
            _apt("install", "-y", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> None:
    """What went wrong is seen by what is missing afterwards."""
    command = ["apt-get", "-q", "-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        _say(done.stdout[-2000:] + done.stderr[-2000:])


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Debian starts a service when its package is installed, unless policy-rc.d says no (101)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def _known(packages: tuple[str, ...]) -> list[str]:
    """The packages this Debian has; the first stands for a machine without apt."""
    if shutil.which("apt-cache") is None:
        return [packages[0]]
    return [name for name in packages if _shown(name)] or [packages[0]]


def _shown(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], check=False, capture_output=True).returncode == 0


def _build(wanted: GoProgram | OwnGoProgram) -> None:
    go, folder = shutil.which("go"), _data_dir() / "parts" / "bin"
    if go is None or any((there / wanted.stamp).exists() for there in (folder, ROOT / "var/parts/bin")):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.glob(f".{wanted.program}-*"):
        other.unlink()
    _say(f"Building {wanted.program} with Go; the first time may take some minutes …")
    # Without what a debugger reads, and with memory for what it collects so often, there is less to do.
    flags = f"{os.environ.get('GOFLAGS', '')} -ldflags=-w -gcflags=all=-dwarf=false".strip()
    quick = {"CGO_ENABLED": "0", "GOFLAGS": flags, "GOGC": "400"}
    environment = os.environ | quick | {"GOBIN": str(folder)}
    if subprocess.run([go, *wanted.command], check=False, env=environment, cwd=folder).returncode == 0:
        (folder / wanted.stamp).touch()


def _install_node_package(name: str) -> None:
    npm, folder = find("npm"), _node_folder(_data_dir(), name)
    if npm is None or installed(name) or left_out(name):
        return
    _say(f"Installing {name} for Node.js …")
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(NODE_PACKAGES[name].folder, draft)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if subprocess.run(command, check=False, cwd=draft).returncode == 0:
        draft.rename(folder)


def _node_folder(data: Path, name: str) -> Path:
    return data / "parts" / f"{name}-{NODE_PACKAGES[name].stamp}"


def _data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / "var").resolve()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
