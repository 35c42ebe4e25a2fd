"""Each real part starts, does its work and is gone afterwards."""

import json
import signal
import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import psycopg
import pytest
import redis as redis_client
import requests

from tests.parts import clients, engines, fixtures, images, processes, registries
from tests.parts import redis as redis_part
from tests.parts.fixtures import MakeRegistry

APP = images.Image(labels={"org.opencontainers.image.title": "app"}, env=("PATH=/bin", "GREETING=hello"))
every_registry = pytest.mark.parametrize("version", registries.VERSIONS)


def tags(registry: registries.RunningRegistry, name: str) -> list[str]:
    answer = requests.get(f"{registry.url}/v2/{name}/tags/list", timeout=120)
    found: list[str] = answer.json()["tags"]
    return found


def test_a_program_that_ends_early_says_why(tmp_path: Path) -> None:
    program = processes.start("sh", ["sh", "-c", "echo no such part; exit 3"], log=tmp_path / "log")
    with pytest.raises(processes.PartError, match=r"ended with 3\.\nno such part"):
        program.wait_until(lambda: False, "answer")


def test_the_last_that_a_program_did_counts(tmp_path: Path) -> None:
    program = processes.start("sleep", ["sleep", "infinity"], log=tmp_path / "log")

    def ready() -> bool:
        """At the second look; it ends during the first."""
        if program.popen.returncode is not None:
            return True
        program.popen.kill()
        program.popen.wait()
        return False

    program.wait_until(ready, "word")


def test_a_program_that_never_answers_is_stopped(tmp_path: Path) -> None:
    program = processes.start("sleep", ["sleep", "infinity"], log=tmp_path / "log")
    with pytest.raises(processes.PartError, match=r"no answer after 0\.1 s"):
        program.wait_until(lambda: False, "answer", seconds=0.1)
    assert program.popen.returncode == -15


def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; echo ready; sleep infinity"
    deaf = processes.start("sh", ["sh", "-c", script], log=tmp_path / "log")
    deaf.wait_until(lambda: "ready" in deaf.log_end(), "trap")
    deaf.stop(seconds=0.2)
    assert deaf.popen.returncode == -9


def test_a_signal_that_we_ignore_reaches_what_we_start(tmp_path: Path) -> None:
    ours = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        script = ["sh", "-c", "echo ready; exec sleep infinity"]
        hung_up = processes.start("sh", script, log=tmp_path / "log", goodbye=signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, ours)
    hung_up.wait_until(lambda: "ready" in hung_up.log_end(), "start")
    hung_up.stop()
    assert hung_up.popen.returncode == -signal.SIGHUP


def test_no_port_is_given_twice_not_even_to_two_processes() -> None:
    ask = "from tests.parts.processes import free_port; print([free_port() for _ in range(100)]); input()"
    both = [Popen([sys.executable, "-c", ask], stdin=PIPE, stdout=PIPE, text=True) for _process in range(2)]
    given = [port for asked in both if asked.stdout for port in json.loads(asked.stdout.readline())]
    given += [processes.free_port() for _ in range(100)]
    for asked in both:
        asked.communicate("\n")
    assert len(set(given)) == 300


def test_a_port_in_use_is_passed_over() -> None:
    """In a process that has given none away: of ours the next port may be the last, or in use."""
    ask = "from tests.parts.processes import free_port; print(free_port()); input(); print(free_port())"
    with Popen([sys.executable, "-c", ask], stdin=PIPE, stdout=PIPE, text=True) as asked:
        assert asked.stdout
        port = int(asked.stdout.readline())
        with socket.create_server(("127.0.0.1", port + 1)):
            assert int(asked.communicate("\n")[0]) == port + 2


def test_a_missing_part_is_skipped_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match=r"no docker\)\. Install it: apt-get install .*docker\.io"
    ):
        fixtures.need("docker", find={"dockerd": "/usr/sbin/dockerd"}.get)


def test_a_missing_part_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="redis is missing"):
        fixtures.need("redis", find={}.get)


def test_postgres_answers(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.broker
def test_redis_answers(redis_url: str) -> None:
    with redis_client.Redis.from_url(redis_url) as client:
        assert client.ping()


@pytest.mark.broker
def test_redis_forgets_everything_in_an_outage(redis_url: str, tmp_path: Path) -> None:
    server = redis_part.start(tmp_path)
    assert server.url != redis_url
    with redis_client.Redis.from_url(server.url) as client:
        client.set("name", "value")
    server.restart()
    with redis_client.Redis.from_url(server.url) as client:
        assert client.get("name") is None
    server.stop()
    assert not processes.tcp_answers(server.port)


def test_an_image_always_has_the_same_digest() -> None:
    assert images.Image().digest == images.Image().digest
    assert images.Image().digest != APP.digest


@pytest.mark.contract
@every_registry
def test_registry_keeps_its_port_and_images_over_a_restart(
    version: registries.Version, make_registry: MakeRegistry, skopeo: clients.Client, tmp_path: Path
) -> None:
    registry = make_registry(version)
    layout = images.write_layout(tmp_path / "app", APP, tag="1")
    skopeo("copy", f"oci:{layout}:1", f"docker://{registry.host}/team/app:1")
    url = registry.url
    registry.stop()
    assert not processes.http_answers(url)
    registry.restart()
    assert registry.url == url
    assert tags(registry, "team/app") == ["1"]


@pytest.mark.contract
@every_registry
def test_skopeo_copies_every_platform_of_an_index(
    version: registries.Version, make_registry: MakeRegistry, skopeo: clients.Client, tmp_path: Path
) -> None:
    registry = make_registry(version)
    both = images.two_platforms()
    layout = images.write_layout(tmp_path / "app", *both)
    skopeo("copy", "--all", f"oci:{layout}:latest", f"docker://{registry.host}/team/app:1")
    raw = skopeo("inspect", "--raw", f"docker://{registry.host}/team/app:1").stdout
    assert [entry["digest"] for entry in json.loads(raw)["manifests"]] == [image.digest for image in both]


@pytest.mark.clients
@every_registry
def test_docker_pushes_and_pulls(
    version: registries.Version, make_registry: MakeRegistry, docker: clients.Client, tmp_path: Path
) -> None:
    registry = make_registry(version)
    name = f"{registry.host}/team/docker:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    docker("tag", name, f"{registry.host}/team/docker:2")
    docker("push", name)
    docker("push", f"{registry.host}/team/docker:2")
    docker("rmi", name, f"{registry.host}/team/docker:2")
    docker("pull", name)
    shown = json.loads(docker("image", "inspect", name).stdout)[0]
    assert shown["Config"]["Labels"] == dict(APP.labels)
    assert sorted(tags(registry, "team/docker")) == ["1", "2"]


@pytest.mark.clients
def test_docker_imports_a_plain_archive(docker: clients.Client, tmp_path: Path) -> None:
    archive = tmp_path / "root.tar"
    archive.write_bytes(APP.tars[0])
    assert docker("import", archive, "parts/imported:1").stdout.startswith("sha256:")


@pytest.mark.clients
@every_registry
def test_podman_pushes_and_pulls(
    version: registries.Version, make_registry: MakeRegistry, podman: clients.Client, tmp_path: Path
) -> None:
    registry = make_registry(version)
    name = f"{registry.host}/team/podman:1"
    podman("load", "--input", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    podman("push", name)
    podman("rmi", name)
    podman("pull", name)
    assert tags(registry, "team/podman") == ["1"]


@pytest.mark.clients
@every_registry
def test_ctr_pushes_and_pulls(
    version: registries.Version, make_registry: MakeRegistry, ctr: clients.Client, tmp_path: Path
) -> None:
    registry = make_registry(version)
    name = f"{registry.host}/team/ctr:1"
    ctr("images", "import", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    ctr("images", "push", "--plain-http", "--user", "nobody:asks", name)
    ctr("images", "rm", name)
    ctr("images", "pull", "--plain-http", "--user", "nobody:asks", name)
    assert tags(registry, "team/ctr") == ["1"]


@pytest.fixture(scope="module")
def guarded(
    make_registry: MakeRegistry, tmp_path_factory: pytest.TempPathFactory
) -> registries.RunningRegistry:
    """A registry that knows one name, `bob`, with the secret `secret`."""
    passwords = tmp_path_factory.mktemp("htpasswd") / "htpasswd"
    passwords.write_text("bob:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n")
    return make_registry(config={"auth": {"htpasswd": {"realm": "tests", "path": str(passwords)}}})


@pytest.mark.clients
def test_docker_keeps_its_own_credentials(
    guarded: registries.RunningRegistry, docker: clients.Client, docker_engine: engines.Engine, tmp_path: Path
) -> None:
    name = f"{guarded.host}/team/docker:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    docker("login", "--username", "bob", "--password-stdin", guarded.host, stdin="secret")
    docker("push", name)
    assert "no basic auth" in docker_engine.docker(tmp_path)("push", name, check=False).stderr


@pytest.mark.clients
def test_skopeo_and_podman_keep_their_own_credentials(
    guarded: registries.RunningRegistry, skopeo: clients.Client, podman: clients.Client, tmp_path: Path
) -> None:
    name = f"{guarded.host}/team/both:1"
    podman("load", "--input", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    podman("login", "--username", "bob", "--password-stdin", guarded.host, stdin="secret")
    podman("push", name)
    assert "unauthorized" in skopeo("inspect", f"docker://{name}", check=False).stderr
    skopeo("login", "--username", "bob", "--password-stdin", guarded.host, stdin="secret")
    assert json.loads(skopeo("inspect", f"docker://{name}").stdout)["Labels"] == dict(APP.labels)


@pytest.mark.clients
def test_ctr_takes_its_credentials_with_each_call(
    guarded: registries.RunningRegistry, ctr: clients.Client, tmp_path: Path
) -> None:
    name = f"{guarded.host}/team/ctr:1"
    ctr("images", "import", images.write_docker_tar(tmp_path / "app.tar", APP, name))
    ctr("images", "push", "--plain-http", "--user", "bob:secret", name)
    ctr("images", "pull", "--plain-http", "--user", "bob:secret", name)
    assert "401" in ctr("images", "pull", "--plain-http", "--user", "bob:wrong", name, check=False).stderr


@pytest.mark.clients
def test_a_refusal_is_an_answer_when_asked_for(make_registry: MakeRegistry, skopeo: clients.Client) -> None:
    absent = f"docker://{make_registry().host}/team/absent:1"
    assert "manifest unknown" in skopeo("inspect", absent, check=False).stderr
    with pytest.raises(clients.ClientError, match="manifest unknown"):
        skopeo("inspect", absent)
