"""What a real registry tells, applied: the inventory follows without a look at the catalog."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.common import secret_files
from manager.standalone.data_dir import notifications
from namespaces.models import Image, Manifest, PullStats, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync import heartbeats, panel_client
from registry_sync.client import RegistryClient
from registry_sync.client.responses import MANIFEST_TYPES
from registry_sync.events import processor
from registry_sync.models import Event, Marker, Repository
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.contract.conftest import bearer, configuration, delete, push, push_manifest
from tests.parts import images, processes, registries
from tests.parts.fixtures import MakeRegistry
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _namespace(db: None, settings: Any) -> None:
    factories.NamespaceFactory(name="team")
    settings.EVENT_CONFIRM_AFTER = 0.3


def until(holds: Callable[[], bool], registry: RunningRegistry | None) -> None:
    """Works as the worker does, until it holds; without a registry nothing is applied."""
    ends = time.monotonic() + processes.PATIENCE
    while not holds():
        assert time.monotonic() < ends, list(Event.objects.values_list("action", "tag", "problem", "due_at"))
        if registry:
            processor.process_due(RegistryClient(registry.url, PanelTokens()))
        threading.Event().wait(0.02)


NUMBERS = itertools.count()


def settled(registry: RunningRegistry) -> None:
    """All that happened was told, in order and hence before this; nothing waits, and nothing is to be confirmed."""
    last = f"last{next(NUMBERS)}"
    push(registry, "nobodys/app", last, images.Image())
    told = Event.objects.filter(repository="nobodys/app", tag=last)
    until(lambda: told.exists() and not Event.objects.exclude(due_at=None).exists(), registry)


def tags() -> dict[str, str]:
    return dict(Tag.objects.values_list("name", "manifest_id"))


def test_a_push_shows_and_is_confirmed(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: tags() == {"1.0": digest}, telling_registry)
    assert Image.objects.get().tag_count == 1
    assert TagHistoryEntry.objects.get().how == TagHistoryEntry.How.EVENT
    settled(telling_registry)
    assert tags() == {"1.0": digest}
    run = reconcile(RegistryClient(telling_registry.url, PanelTokens()))
    assert run
    assert (run.changes, run.drifts.count()) == (0, 0)


def test_a_platforms_manifests_are_held_and_the_index_shows(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/multi", "latest", *images.two_platforms())
    until(lambda: tags() == {"latest": digest}, telling_registry)
    settled(telling_registry)
    assert len(Manifest.objects.get(digest=digest).platforms) == 2
    assert RepositoryManifest.objects.count() == 3


def test_a_moved_tag_follows_and_a_deleted_one_goes(telling_registry: RunningRegistry) -> None:
    first = push(telling_registry, "team/app", "1.0", images.Image())
    second = push(telling_registry, "team/app", "1.0", images.Image(env=["A=1"]))
    until(lambda: tags() == {"1.0": second}, telling_registry)
    settled(telling_registry)
    delete(telling_registry, "team/app", second)
    until(lambda: tags() == {}, telling_registry)
    settled(telling_registry)
    moves = list(TagHistoryEntry.objects.order_by("id").values_list("old", "new"))
    assert moves == [("", first), (first, second), (second, "")]
    assert RepositoryManifest.objects.get(manifest=second).gone_at
    assert RepositoryManifest.objects.get(manifest=first).gone_at is None


def test_events_lost_are_found_by_the_reconcile_and_written_down(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: len(tags()) == 1, telling_registry)
    settled(telling_registry)
    second = push(telling_registry, "team/app", "2.0", images.Image(env=["A=1"]))
    until(lambda: Event.objects.filter(tag="2.0").exists(), None)
    TagHistoryEntry.objects.all().delete()
    Event.objects.filter(tag="2.0").delete()
    run = reconcile(RegistryClient(telling_registry.url, PanelTokens()))
    assert run
    assert list(run.drifts.values_list("tag", "new")) == [("2.0", second)]
    assert TagHistoryEntry.objects.get().how == TagHistoryEntry.How.FOUND


def test_events_twice_and_reversed_give_the_same_inventory(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    last = push(telling_registry, "team/app", "1.0", images.Image(env=["A=1"]))
    gone = push(telling_registry, "team/app", "2.0", images.Image(env=["B=1"]))
    until(lambda: tags() == {"1.0": last, "2.0": gone}, telling_registry)
    delete(telling_registry, "team/app", gone)
    until(lambda: tags() == {"1.0": last}, telling_registry)
    settled(telling_registry)
    told = list(Event.objects.order_by("-id"))
    for number, event in enumerate(told):
        for again in ("x", "y"):
            event.pk, event.event_id, event.applied_at, event.attempts = None, f"{again}{number}", None, 0
            event.due_at = event.received_at
            event.save()
    settled(telling_registry)
    assert tags() == {"1.0": last}


def test_pulls_are_counted_for_tag_and_user_without_our_own(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: tags() == {"1.0": digest}, telling_registry)
    for _twice in range(2):
        requests.get(
            f"{telling_registry.url}/v2/team/app/manifests/1.0",
            headers=bearer("team/app", "pull", subject="wsbq5k5ysqyt") | {"Accept": MANIFEST_TYPES},
            timeout=120,
        ).raise_for_status()
    until(lambda: PullStats.objects.filter(count=2).exists(), telling_registry)
    settled(telling_registry)
    pull = PullStats.objects.get()
    assert (pull.tag, pull.username, pull.count, pull.digest) == ("1.0", "wsbq5k5ysqyt", 2, digest)
    tag = Tag.objects.get()
    assert (tag.pull_count, tag.last_pulled_at) == (2, pull.last_at)


def pull(
    registry: RunningRegistry, method: str, reference: str, user: str = "wsbq5k5ysqyt", **more: str
) -> None:
    headers = bearer("team/app", "pull", subject=user) | {"Accept": MANIFEST_TYPES, **more}
    url = f"{registry.url}/v2/team/app/manifests/{reference}"
    requests.request(method, url, headers=headers, timeout=120)


def test_a_pull_is_counted_once_however_the_client_asks(telling_registry: RunningRegistry) -> None:
    """As docker does, as skopeo does; one that has it already; and one that cannot read what it is."""
    index = push(telling_registry, "team/app", "1.0", *images.two_platforms())
    until(lambda: tags() == {"1.0": index}, telling_registry)
    child = Manifest.objects.get(digest=index).platforms[0]["digest"]
    for method, reference in (("HEAD", "1.0"), ("GET", index), ("GET", child)):
        pull(telling_registry, method, reference, "dockerdocker")
    for method, reference in (("GET", "1.0"), ("GET", child)):
        pull(telling_registry, method, reference, "skopeoskopeo")
    pull(telling_registry, "HEAD", "1.0", "kubernetesks")
    pull(telling_registry, "GET", "1.0", "kubernetesks", **{"If-None-Match": f'"{index}"'})  # 304: not told
    until(lambda: Event.objects.filter(action="pull").count() == 6, telling_registry)
    until(lambda: not Event.objects.filter(applied_at=None).exists(), telling_registry)
    Event.objects.exclude(due_at=None).update(due_at=timezone.now())  # the minute is over
    settled(telling_registry)
    counted = PullStats.objects.order_by("username").values_list("username", "tag", "count", "checks")
    assert list(counted) == [
        ("dockerdocker", "1.0", 1, 0),
        ("kubernetesks", "1.0", 0, 1),
        ("skopeoskopeo", "1.0", 1, 0),
    ]
    assert Tag.objects.get().pull_count == 2


def test_what_we_read_ourselves_is_not_kept(telling_registry: RunningRegistry, settings: Any) -> None:
    settings.REGISTRY_URL = telling_registry.url
    push(telling_registry, "team/app", "1.0", *images.two_platforms())
    until(lambda: tags() != {}, telling_registry)
    settled(telling_registry)
    until(lambda: heartbeats.last(Marker.READ) is not None, telling_registry)
    settled(telling_registry)  # with what was read until now
    assert not Event.objects.filter(action="pull").exists()
    read, run = heartbeats.last(Marker.READ), reconcile(panel_client.registry_client())
    assert run
    assert run.requests
    push(telling_registry, "team/app", "2.0", images.Image())  # told after all that was read
    until(lambda: Event.objects.filter(tag="2.0").exists(), None)
    assert heartbeats.last(Marker.READ) == read  # what is unchanged is not told


def test_who_deletes_is_in_the_history_and_a_layer_is_no_image(telling_registry: RunningRegistry) -> None:
    image = images.Image()
    digest = push(telling_registry, "team/app", "1.0", image)
    push_manifest(telling_registry, "team/app", "latest", image.manifest)
    until(lambda: len(tags()) == 2, telling_registry)
    other = push(telling_registry, "team/app", "2.0", images.Image(env=["A=1"]))
    until(lambda: len(tags()) == 3, telling_registry)
    auth = bearer("team/app", "delete", subject="wsbq5k5ysqyt")
    for what in (f"blobs/{image.layer_blobs[0].digest}", f"manifests/{digest}"):
        url = f"{telling_registry.url}/v2/team/app/{what}"
        assert requests.delete(url, headers=auth, timeout=120).status_code == 202
    until(lambda: tags() == {"2.0": other}, telling_registry)
    settled(telling_registry)
    gone = TagHistoryEntry.objects.filter(new="").order_by("tag").values_list("tag", "old", "by", "how")
    assert list(gone) == [(tag, digest, "wsbq5k5ysqyt", "event") for tag in ("1.0", "latest")]


@contextmanager
def sending_on(status: int, location: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}/registry/events"
        server.shutdown()


@pytest.mark.parametrize("status", [301, 302])
@pytest.mark.parametrize("version", registries.VERSIONS)
def test_a_registry_that_is_sent_on_is_seen(
    version: registries.Version,
    status: int,
    make_registry: MakeRegistry,
    tmp_path: Path,
    live_server: LiveServer,
) -> None:
    """It follows with a GET, without the event."""
    hook = secret_files.read(settings.SECRETS_DIR / "hook.key").decode()
    with sending_on(status, f"{live_server.url}/registry/events") as url:
        told = {"notifications": notifications(url, hook)}
        registry = make_registry(version, configuration(tmp_path) | told, tmp_path)
        push(registry, "team/app", "1.0", images.Image())
        until(lambda: heartbeats.last(Marker.REDIRECTED) is not None, registry)
        registry.stop()
    assert not Event.objects.exists()


def test_what_nobody_owns_becomes_known_and_is_nobodys(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "orphan/app", "1.0", images.Image())
    until(lambda: Repository.objects.filter(name="orphan/app").exists(), telling_registry)
    settled(telling_registry)
    assert Repository.objects.get(name="orphan/app").image is None
    assert tags() == {}


def test_without_a_registry_to_ask_the_event_waits(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: Event.objects.filter(tag="1.0").exists(), None)
    telling_registry.stop()
    processor.process_due(RegistryClient(telling_registry.url, PanelTokens()))
    waiting = Event.objects.get(tag="1.0")
    assert "does not answer" in waiting.problem
    assert waiting.due_at
    telling_registry.restart()
    Event.objects.update(due_at=waiting.received_at)
    settled(telling_registry)
    assert list(tags()) == ["1.0"]
