"""The parts as fixtures, started when first asked for. Loaded by tests/conftest.py (`pytest_plugins`)."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.parts import clients, engines, install, postgres, push_clients, redis, registries
from tests.parts import oidc_provider as oidc_provider_part


class MakeRegistry(Protocol):
    def __call__(
        self,
        version: registries.Version = "2.8",
        config: Mapping[str, Any] | None = None,
        root: Path | None = None,
    ) -> registries.RunningRegistry: ...


def need(*names: str, root: bool = False, find: install.Find = install.find) -> None:
    """Skip when a part is missing, saying how to install it; fail under CI: nothing is left unseen."""
    for name in names:
        if reason := install.left_out(name):
            pytest.skip(reason)
    reasons = [sentence for name in names if (sentence := install.missing(name, find))]
    if root and os.geteuid() != 0:
        reasons.append(f"{names[0]} can only be started by root.")
    if not reasons:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(" ".join(reasons), pytrace=False)
    pytest.skip(" ".join(reasons))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A cluster of our own; the URL names its superuser and the database `postgres`."""
    need("postgresql")
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis shared by the whole run. A test of an outage starts its own: `tests.parts.redis.start`."""
    need("redis")
    server = redis.start(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def oidc_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oidc_provider_part.RunningProvider]:
    """Shared by the whole run: a test names people of its own."""
    need("node", "oidc-provider")
    callback = "http://localhost:8000/me/oidc/sso/login/callback/"  # of the default PUBLIC_URL
    with oidc_provider_part.running(tmp_path_factory.mktemp("oidc"), redirect_uri=callback) as provider:
        yield provider


@pytest.fixture(scope="session")
def registry_versions() -> list[registries.Version]:
    """The registries that can be started here."""
    return [version for version in registries.VERSIONS if _registry_there(version)]


def _registry_there(version: registries.Version) -> bool:
    name = f"registry {version}"
    return install.missing(name) is None and install.left_out(name) is None


@pytest.fixture(scope="session")
def make_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeRegistry]:
    """Starts registries; each runs until it is stopped or the test run ends."""
    started: list[registries.RunningRegistry] = []

    def make(
        version: registries.Version = "2.8",
        config: Mapping[str, Any] | None = None,
        root: Path | None = None,
    ) -> registries.RunningRegistry:
        need(f"registry {version}")
        registry = registries.start(version, config or {}, root or tmp_path_factory.mktemp("registry"))
        started.append(registry)
        return registry

    yield make
    for registry in started:
        registry.stop()


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[engines.Engine]:
    need("docker", "containerd", root=True)
    with engines.docker() as engine:
        yield engine


@pytest.fixture(scope="session")
def containerd() -> Iterator[engines.Engine]:
    need("containerd", root=True)
    with engines.containerd() as engine:
        yield engine


@pytest.fixture(scope="session")
def buildkit() -> Iterator[engines.Engine]:
    need("buildkitd", "buildctl", root=True)
    with engines.buildkit() as engine:
        yield engine


@pytest.fixture
def docker(docker_engine: engines.Engine, tmp_path_factory: pytest.TempPathFactory) -> clients.Client:
    """A docker command that is logged in nowhere. Images are the engine's: name yours uniquely."""
    return docker_engine.docker(tmp_path_factory.mktemp("docker"))


@pytest.fixture
def ctr(containerd: engines.Engine, tmp_path_factory: pytest.TempPathFactory) -> clients.Client:
    """A ctr command with no images yet."""
    folder = tmp_path_factory.mktemp("ctr")
    return containerd.ctr(folder, namespace=folder.name)


@pytest.fixture(params=push_clients.ALL)
def push_client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], push_clients.PushClient]:
    """Each client in turn; called with a registry's host. It is logged in nowhere and has no images."""
    kind = push_clients.ALL[request.param]
    need(*kind.parts, root=bool(kind.engine_fixture))
    engine = request.getfixturevalue(kind.engine_fixture) if kind.engine_fixture else None
    return lambda host: kind(host, tmp_path_factory.mktemp(request.param), engine)


@pytest.fixture
def skopeo(tmp_path_factory: pytest.TempPathFactory) -> clients.Client:
    """A skopeo that is logged in nowhere."""
    need("skopeo")
    return clients.skopeo(tmp_path_factory.mktemp("skopeo"))


@pytest.fixture
def podman(tmp_path_factory: pytest.TempPathFactory) -> clients.Client:
    """A podman with no images yet, logged in nowhere."""
    need("podman")
    return clients.podman(tmp_path_factory.mktemp("podman"))
