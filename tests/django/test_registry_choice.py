"""Which registry `make run` takes, on machines that have this or that program."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manager.standalone import registry

Install = Callable[[str, str], None]
CONFIG, DATA = Path("/data/registry-config/registry.yml"), Path("/data/registry")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Install:
    """Puts a program on a PATH that holds nothing else: a shell script."""
    monkeypatch.setenv("PATH", str(tmp_path))
    settings.DATA_DIR, settings.REGISTRY_PORT = tmp_path / "data", 5000

    def install(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return install


def engine(about: str, *, pull: str = "exit 1") -> str:
    return f'case $1 in info) echo "{about}" ;; image) exit 1 ;; pull) {pull} ;; esac'


def test_a_program_on_the_machine_comes_first(install: Install, tmp_path: Path) -> None:
    install("docker", engine("Debian GNU/Linux 12 [name=seccomp]", pull="echo pulled"))
    install("registry", "echo another program of this name")
    install("docker-registry", "echo docker-registry github.com/docker/distribution 2.8.2")
    assert registry.commands(CONFIG, DATA).serve == [str(tmp_path / "docker-registry"), "serve", str(CONFIG)]


@pytest.mark.parametrize(
    ("about", "network"),
    [
        ("Debian GNU/Linux 12 [name=seccomp,profile=default]", "--network host"),
        ("Docker Desktop [name=seccomp]", "--publish 127.0.0.1:5000:5000"),
        ("Ubuntu 24.04 [name=seccomp name=rootless]", "--publish 127.0.0.1:5000:5000"),
    ],
)
def test_a_docker_engine_is_next(install: Install, about: str, network: str) -> None:
    install("docker", engine(about, pull="echo pulled"))
    command = " ".join(registry.commands(CONFIG, DATA).serve)
    assert command.startswith("docker run --rm ")
    assert network in command
    assert f"--volume {CONFIG.parent}:{CONFIG.parent}:ro --volume {DATA}:{DATA}" in command
    assert command.endswith(f"registry:3 serve {CONFIG}")


@pytest.mark.parametrize("script", ["exit 1", engine("Debian GNU/Linux 12")])
def test_nothing_at_all_is_a_sentence(install: Install, script: str) -> None:
    """No engine runs behind the command, or it cannot pull."""
    install("docker", script)
    with pytest.raises(
        registry.NoRegistryError, match="Start a Docker engine, or put Distribution's `registry`"
    ):
        registry.commands(CONFIG, DATA)
