"""The doctor beside real registries that are set up wrongly, one line at a time: it finds just that line."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from django.core.management import call_command
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from django.utils import timezone

from accounts.common import secret_files
from manager.standalone.data_dir import notifications, registry_config
from namespaces.models import Tag
from registry_sync import doctor, heartbeats, panel_client, registry_probe
from registry_sync.doctor.result import Result, State
from registry_sync.doctor.runner import TITLES, run_checks
from registry_sync.models import Backup, DiagnosticRun, Marker, Repository
from registry_sync.tokens import ca
from registry_sync.tokens.wsgi import token_middleware
from tests import factories
from tests.contract.conftest import delete, push, push_manifest
from tests.parts import images, processes, registries
from tests.parts.fixtures import MakeRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
Config = dict[str, Any]
BY_TOKEN = {"version", "deletion", "catalog", "upstream", "old_form", "events", "pull"}
UNTRUSTED = {*BY_TOKEN, "front"}
EMPTY = {"pull"}  # of a registry without an image


@pytest.fixture
def panel(transactional_db: None, settings: Any) -> Iterator[str]:
    """The panel with its token door, at an address of its own."""
    thread = LiveServerThread("localhost", lambda app: token_middleware(_StaticFilesHandler(app)))
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert not thread.error
    settings.PUBLIC_URL = f"http://localhost:{thread.port}"
    settings.TOKEN_URL = f"{settings.PUBLIC_URL}/auth/token"
    settings.DOCTOR_SLOW = settings.DOCTOR_EVENT_OF_LOOK = settings.DOCTOR_EVENT_OF_PUSH = processes.PATIENCE
    for name in (Marker.WORKER, Marker.BEAT, Marker.AUDIT_LOG_INTACT):
        heartbeats.note(name, timezone.now())
    Backup.objects.create(at=timezone.now(), row_count=1, byte_count=1, keys=Backup.Keys.FILE)
    yield settings.PUBLIC_URL
    thread.terminate()


@pytest.fixture
def configuration(panel: str, settings: Any, tmp_path: Path) -> Config:
    """As it should be."""
    port = processes.free_port()
    settings.REGISTRY_URL, settings.REGISTRY_HOST = f"http://127.0.0.1:{port}", f"localhost:{port}"
    settings.TOKEN_SERVICE = settings.REGISTRY_HOST
    hook = secret_files.read(ours.SECRETS_DIR / "hook.key").decode()
    config = registry_config(
        port=port, data=tmp_path / "data", realm=f"{panel}/auth/token", service=settings.TOKEN_SERVICE,
        issuer=settings.TOKEN_ISSUER, trusted=ours.SECRETS_DIR / ca.CA_CERTIFICATE, http_secret="tests",
    )  # fmt: skip
    return config | {"notifications": notifications(f"{panel}/registry/events", hook)}


def other_authority(config: Config, folder: Path) -> None:
    other = folder / "other"
    other.mkdir(mode=0o700)
    ca.ensure_keys(other, datetime.now(UTC))
    config["auth"]["token"]["rootcertbundle"] = str(other / ca.CA_CERTIFICATE)


def wrong_key(config: Config, _folder: Path) -> None:
    config["notifications"]["endpoints"][0]["headers"] = {"Authorization": ["Bearer of-another"]}


def setting(*path: str, value: object) -> Callable[[Config, Path], None]:
    def change(config: Config, _folder: Path) -> None:
        for key in path[:-1]:
            config = config[key]
        config[path[-1]] = value

    return change


# what is wrong: (the check that fails, words of its lines, the checks that cannot be looked at)
WRONG: dict[str, tuple[Callable[[Config, Path], None], str, str, set[str]]] = {
    "realm": (
        setting("auth", "token", "realm", value="http://localhost:1/auth/token"),
        "realm",
        "realm: http",
        set(),
    ),
    "service": (setting("auth", "token", "service", value="other"), "service", "service: localhost", set()),
    "issuer": (
        setting("auth", "token", "issuer", value="Acme auth server"),
        "token",
        "issuer: registry-man",
        set(),
    ),
    "odd issuer": (setting("auth", "token", "issuer", value="x"), "token", "issuer: registry-man", UNTRUSTED),
    "authority": (other_authority, "token", "rootcertbundle: ", UNTRUSTED),
    "deletion": (setting("storage", "delete", "enabled", value=False), "deletion", "enabled: true", set()),
    "catalog": (setting("catalog", "maxentries", value=100), "catalog", "maxentries: 1000", set()),
    "no events": (setting("notifications", value={}), "events", "notifications:", set()),
    "wrong key": (wrong_key, "events", "Authorization: [Bearer KEY]", set()),
}


def states(found: list[Result]) -> dict[str, State]:
    assert [result.key for result in found] == list(dict.fromkeys(result.key for result in found))
    assert {result.key for result in found} == set(TITLES)
    return {result.key: result.finding.state for result in found}


def lines(found: list[Result], key: str) -> str:
    (finding,) = (result.finding for result in found if result.key == key)
    return "\n".join(fix.lines for fix in finding.fixes)


def text(found: list[Result], key: str) -> str:
    return next(result.finding.text for result in found if result.key == key)


def shown(digest: str) -> None:
    """The inventory has it as team/app:1.0."""
    image = factories.ImageFactory(namespace__name="team", name="app")
    factories.TagFactory(image=image, name="1.0", manifest__digest=digest)


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_nothing_is_wrong_and_nothing_is_left(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    registry = make_registry(version, configuration, tmp_path)
    answer = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=answer)
    assert ended.value.code == 0, answer.getvalue()  # nothing is wrong: there is nothing to pull yet
    assert answer.getvalue().count("✓") == len(TITLES) - 1, answer.getvalue()
    assert "… Pull, as a client: Not run yet" in answer.getvalue()
    assert "No check failed; 1 not run yet." in answer.getvalue()
    assert not list((tmp_path / "data").rglob("_manifests/tags/*"))
    assert not list(
        (tmp_path / "data").rglob("_uploads/*/data")
    )  # hash states stay until the registry purges
    kept = DiagnosticRun.objects.get()
    assert (kept.state, kept.failed, kept.wrong) == ("done", 0, 0)
    registry.stop()


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_where_there_is_an_image_nothing_is_pushed(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    registry = make_registry(version, configuration, tmp_path)
    digest = push(registry, "team/app", "1.0", images.Image())
    shown(digest)
    found = list(run_checks(timezone.now()))
    assert states(found) == dict.fromkeys(TITLES, State.OK), found
    assert not (tmp_path / f"data/docker/registry/v2/repositories/{doctor.REPOSITORY}/_manifests").exists()
    assert Tag.objects.get().pull_count == 0
    registry.stop()


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("version", registries.VERSIONS)
def test_one_wrong_line_is_found_and_no_other(
    version: registries.Version,
    what: str,
    configuration: Config,
    make_registry: MakeRegistry,
    tmp_path: Path,
    settings: Any,
) -> None:
    spoil, key, words, unseen = WRONG[what]
    spoil(configuration, tmp_path)
    if key == "events":  # none will come; what is refused is noted at once
        settings.DOCTOR_EVENT_OF_PUSH = 8
    registry = make_registry(version, configuration, tmp_path)
    found = list(run_checks(timezone.now()))
    expected = dict.fromkeys(TITLES, State.OK) | dict.fromkeys(EMPTY, State.PENDING)
    expected |= dict.fromkeys(unseen, State.SKIPPED)
    expected[key] = State.FAIL
    assert states(found) == expected, found
    assert words in lines(found, key)
    registry.stop()


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_layers_that_clients_cannot_reach(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    """As with object storage inside a network of its own: the registry sends clients on to where nobody is."""
    nobody = f"http://127.0.0.1:{processes.free_port()}"
    configuration["middleware"] = {"storage": [{"name": "redirect", "options": {"baseurl": nobody}}]}
    registry = make_registry(version, configuration, tmp_path)
    shown(push(registry, "team/app", "1.0", images.Image()))
    found = list(run_checks(timezone.now()))
    assert states(found) == dict.fromkeys(TITLES, State.OK) | {"pull": State.FAIL}, found
    assert f"redirects clients to {nobody} for layers" in text(found, "pull")
    assert "redirect:\n  disable: true" in lines(found, "pull")
    registry.stop()


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_a_push_that_a_stale_memory_has_swallowed(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    """Garbage was collected beside the running registry. A restart is what heals it."""
    registry, image = make_registry(version, configuration, tmp_path), images.Image()
    delete(registry, "team/app", push(registry, "team/app", "1.0", image))
    command = [registries.binary(version), "garbage-collect", registry.config]
    subprocess.run(
        command, check=True, capture_output=True, timeout=processes.PATIENCE, env=registries.environment()
    )
    shown(
        push_manifest(registry, "team/app", "1.0", image.manifest)
    )  # its layers are "there", and none is sent
    found = list(run_checks(timezone.now()))
    assert states(found)["pull"] is State.FAIL, found
    assert "team/app:1.0 cannot be pulled" in text(found, "pull")
    registry.restart()
    push(registry, "team/app", "1.0", image)
    assert states(list(run_checks(timezone.now())))["pull"] is State.OK
    registry.stop()


def test_a_pull_through_cache_and_its_upstream(
    configuration: Config, make_registry: MakeRegistry, tmp_path: Path, settings: Any
) -> None:
    upstream = make_registry("2.8")
    digest = push(upstream, "team/app", "1.0", images.Image())
    cache = make_registry("3.1", configuration | {"proxy": {"remoteurl": upstream.url}}, tmp_path)
    shown(digest)
    Repository.objects.create(name="team/app")
    told = list(run_checks(timezone.now()))  # that it deletes nothing, and the line for who has a cache
    assert states(told) == dict.fromkeys(TITLES, State.OK) | {"deletion": State.FAIL}, told
    assert "REGISTRY_IS_PULL_THROUGH_CACHE=true" in lines(told, "deletion")
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    found = list(run_checks(timezone.now()))
    assert states(found) == dict.fromkeys(TITLES, State.OK), found
    upstream.stop()
    found = list(run_checks(timezone.now()))
    away = {"upstream": State.FAIL, "pull": State.SKIPPED}
    assert states(found) == dict.fromkeys(TITLES, State.OK) | away, found
    cache.stop()


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_a_registry_that_takes_everybody(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    realm, service = configuration["auth"]["token"]["realm"], configuration["auth"]["token"]["service"]
    open_one = configuration | {"auth": {"silly": {"realm": realm, "service": service}}}
    registry = make_registry(version, open_one, tmp_path)
    found = list(run_checks(timezone.now()))
    assert {key for key, state in states(found).items() if state is State.FAIL} == {"token"}
    assert "rootcertbundle" in lines(found, "token")
    registry.stop()
    no_auth = {key: value for key, value in configuration.items() if key != "auth"}
    registry = make_registry(version, no_auth, tmp_path)
    found = list(run_checks(timezone.now()))
    assert {key for key, state in states(found).items() if state is State.FAIL} == {"challenge"}
    registry.stop()


@pytest.mark.parametrize("version", registries.VERSIONS)
def test_what_a_worker_sees_of_it_each_few_seconds(
    version: registries.Version, configuration: Config, make_registry: MakeRegistry, tmp_path: Path
) -> None:
    registry = make_registry(version, configuration, tmp_path)
    assert seen() == set()
    registry.stop()
    assert seen() == {Marker.REGISTRY_SILENT}
    other_authority(configuration, tmp_path)
    registry = make_registry(version, configuration, tmp_path)
    assert seen() == {Marker.REGISTRY_REFUSES}
    registry.stop()


def seen() -> set[str]:
    registry = panel_client.registry_client()
    try:
        registry_probe.probe(registry, timezone.now(), seconds=processes.PATIENCE)
    finally:
        registry.close()
    return set(heartbeats.read_markers(*Marker.TROUBLES))


def test_a_registry_that_is_down(configuration: Config) -> None:
    found = list(run_checks(timezone.now()))
    after = {"clock", "challenge", "realm", "service", "token", *BY_TOKEN, "front"}
    assert states(found) == dict.fromkeys(TITLES, State.OK) | dict.fromkeys(after, State.SKIPPED) | {
        "registry": State.FAIL
    }
    assert f"REGISTRY_URL={ours.REGISTRY_URL}" in lines(found, "registry")
    answer = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=answer)
    assert ended.value.code == 1
    assert "✗ Registry:" in answer.getvalue()
