"""A repository that is pushed to while it is read: what is certain is written, and what an event told stays."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from namespaces.models import Tag, TagHistoryEntry
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event, Repository, SyncRun
from registry_sync.reconcile.repositories import Counts, RepositoryReconciler
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    made = ModelRegistry()
    yield made
    made.stop()


def push(registry: ModelRegistry, tag: str, content: str, *, linked: bool = True) -> str:
    blob = Blob(KIND, json.dumps({"content": content}).encode())
    registry.hold("team/app", KIND, blob.digest, blob.content)
    if linked:
        registry.push("team/app", tag, KIND, blob.digest, blob.content)
    return blob.digest


def tell(registry: ModelRegistry, action: str, tag: str, digest: str = "") -> None:
    """The event comes and is applied."""
    target = {"mediaType": KIND, "repository": "team/app", "tag": tag, "digest": digest}
    event = {"id": f"{action}{tag}{digest}{Event.objects.count()}", "action": action, "target": target}
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    process_due(client(registry))


def client(registry: ModelRegistry) -> RegistryClient:
    return RegistryClient(registry.url, lambda *_scope: "token")


def sync(registry: ModelRegistry) -> SyncRun:
    run = reconcile(client(registry))
    assert run
    return run


def read_while_told(registry: ModelRegistry, *event: str) -> Counts:
    """The event comes and is applied when all was asked, and nothing is written yet."""
    left = [event]

    def alive() -> None:
        if left:
            tell(registry, *left.pop())

    with RepositoryReconciler(client(registry)) as reader:
        ids = Repository.objects.values_list("id", flat=True)
        return reader.read(SyncRun.objects.create(), ids, alive=alive)


def inventory() -> dict[str, str]:
    return dict(Tag.objects.values_list("name", "manifest_id"))


def test_what_was_told_meanwhile_stays_and_all_else_is_written(registry: ModelRegistry) -> None:
    push(registry, "told", "1")
    push(registry, "quiet", "1")
    sync(registry)
    push(registry, "told", "2")
    quiet = push(registry, "quiet", "2")
    told = push(registry, "told", "3", linked=False)  # read as 2, told as 3
    counts = read_while_told(registry, "push", "told", told)
    assert inventory() == {"told": told, "quiet": quiet}
    assert (counts.changes, counts.unreadable) == (1, 0)
    assert [move.new for move in TagHistoryEntry.objects.filter(tag="told").order_by("id")][1:] == [told]


def test_a_tag_that_was_deleted_meanwhile_does_not_come_back(registry: ModelRegistry) -> None:
    push(registry, "kept", "1")
    sync(registry)
    push(registry, "gone", "2")
    registry.after(4, lambda: registry.untag("team/app", "gone"))  # the list and both tags were asked for
    read_while_told(registry, "delete", "gone")
    assert set(inventory()) == {"kept"}
    assert not TagHistoryEntry.objects.filter(tag="gone").exists()


def test_a_push_that_is_told_and_not_linked_yet_is_no_false_move(registry: ModelRegistry) -> None:
    push(registry, "1", "old")
    sync(registry)
    told = push(registry, "1", "new", linked=False)
    tell(registry, "push", "1", told)
    run = sync(registry)
    assert (run.state, run.changes) == (SyncRun.State.DONE, 0)
    assert inventory() == {"1": told}
    assert TagHistoryEntry.objects.count() == 2


def test_but_what_is_never_linked_is_mended(registry: ModelRegistry) -> None:
    old = push(registry, "1", "old")
    sync(registry)
    tell(registry, "push", "1", push(registry, "1", "new", linked=False))
    Event.objects.update(received_at=timezone.now() - timedelta(minutes=2))  # and nobody confirms it
    sync(registry)
    assert inventory() == {"1": old}


def test_a_pull_is_no_reason_to_leave_a_tag(registry: ModelRegistry) -> None:
    push(registry, "1", "old")
    sync(registry)
    new = push(registry, "1", "new")
    tell(registry, "pull", "1", new)
    sync(registry)
    assert inventory() == {"1": new}


def test_a_new_repository_that_is_told_of_before_the_registry_shows_it_stays(
    registry: ModelRegistry,
) -> None:
    """The catalog was read before, and the list of its tags is asked for before they are linked."""
    told = push(registry, "1", "new", linked=False)
    tell(registry, "push", "1", told)
    linked = registry.repositories.pop("team/app")
    sync(registry)
    assert inventory() == {"1": told}
    registry.repositories["team/app"] = linked  # it never came: then it goes as others do
    Event.objects.update(received_at=timezone.now() - timedelta(minutes=2))
    sync(registry)
    assert inventory() == {}
