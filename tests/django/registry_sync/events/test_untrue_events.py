"""What an event says is a hint: forged, old, doubled or poisonous ones end in what the registry says."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from psycopg.errors import AdminShutdown, LockNotAvailable, UndefinedColumn

from namespaces.models import Image, Manifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event, Repository
from registry_sync.reconcile.run import reconcile
from tests import factories, statements
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
ZEROS = "sha256:" + "0" * 64
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    made = ModelRegistry()
    push(made, "1.0", "one")
    reconcile(client(made))
    made.asked.clear()
    yield made
    made.stop()


def push(registry: ModelRegistry, tag: str, content: str) -> str:
    blob = Blob(KIND, json.dumps({"content": content}).encode())
    registry.push("team/app", tag, KIND, blob.digest, blob.content)
    return blob.digest


def client(registry: ModelRegistry) -> RegistryClient:
    return RegistryClient(registry.url, lambda *_scope: "token")


def tell(registry: ModelRegistry, *events: Any) -> None:
    """Takes them in and works until nothing is due."""
    views.store_events(json.dumps({"events": events}).encode(), timezone.now())
    for _round in range(5):
        process_due(client(registry))
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())


def event(action: str, id: str = "1", repository: str = "team/app", **more: Any) -> dict[str, Any]:  # noqa: A002
    target = {"mediaType": KIND, "repository": repository} | more.pop("target", {})
    return {"id": id, "action": action, "target": target, **more}


def inventory() -> dict[str, str]:
    return {f"{tag.image.repository}:{tag.name}": tag.manifest_id for tag in Tag.objects.all()}


@pytest.mark.parametrize(
    "target",
    [{"tag": "1.0"}, {"digest": "THE DIGEST"}, {"tag": "1.0", "digest": "THE DIGEST"}],
)
def test_the_deletion_of_what_lives_changes_nothing(registry: ModelRegistry, target: dict[str, str]) -> None:
    before = inventory()
    digest = Tag.objects.get().manifest_id
    tell(
        registry,
        event("delete", target={key: text.replace("THE DIGEST", digest) for key, text in target.items()}),
    )
    assert inventory() == before
    assert not Event.objects.exclude(due_at=None).exists()


def test_a_push_of_what_the_registry_has_not_adds_nothing(registry: ModelRegistry) -> None:
    before = inventory()
    unknown = factories.digest_of("unknown")
    tell(
        registry,
        event("push", "1", target={"tag": "1.0", "digest": unknown}),
        event("push", "2", target={"tag": "2.0", "digest": unknown}),
        event("push", "3", target={"tag": "2.0", "digest": "sha256:short"}),
    )
    assert inventory() == before
    assert not Manifest.objects.filter(digest=unknown).exists()


def test_another_namespaces_digest_is_not_to_be_had_by_an_event(registry: ModelRegistry) -> None:
    """The registry is asked in the repository that was named, and it has it not there."""
    factories.NamespaceFactory(name="other")
    digest = Tag.objects.get().manifest_id
    tell(registry, event("push", repository="other/app", target={"tag": "1.0", "digest": digest}))
    assert not Image.objects.filter(namespace__name="other", tags__isnull=False).exists()


@pytest.mark.parametrize("moment", ["2016-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "never", 7, None])
def test_an_event_of_any_age_ends_in_what_is_true_now(registry: ModelRegistry, moment: Any) -> None:
    old = Tag.objects.get().manifest_id
    new = push(registry, "1.0", "two")
    tell(registry, event("push", target={"tag": "1.0", "digest": old}, timestamp=moment))
    assert inventory() == {"team/app:1.0": new}
    assert Tag.objects.get().pushed_at <= timezone.now()


def test_the_same_id_with_another_body_is_the_first_one(registry: ModelRegistry) -> None:
    digest = push(registry, "2.0", "two")
    tell(registry, event("push", target={"tag": "2.0", "digest": digest}))
    tell(registry, event("delete", target={"tag": "1.0"}))
    assert Event.objects.get().action == "push"


@pytest.mark.parametrize(
    "poison",
    [
        1, None, [], "text", {}, {"id": "p", "action": "push"},
        {"id": "p", "action": "push", "target": None},
        {"id": "p", "action": "push", "target": []},
        {"id": "p", "action": "push", "target": {"repository": ["team/app"], "tag": {}, "digest": 1}},
        {"id": "p", "action": "push", "target": {"repository": "../..", "tag": "1.0", "digest": ZEROS}},
        {"id": "p", "action": "push", "target": {"repository": "team/app", "tag": "?n=1#", "digest": ZEROS}},
        {"id": "p", "action": "explode", "target": {"repository": "team/app", "tag": "1.0"}},
        {"id": "p", "action": "pull", "target": {"repository": "team/app", "mediaType": None}, "actor": 7},
    ],
)  # fmt: skip
def test_poison_is_kept_and_holds_up_nobody(registry: ModelRegistry, poison: Any) -> None:
    digest = push(registry, "2.0", "two")
    tell(registry, poison, event("push", "good", target={"tag": "2.0", "digest": digest}))
    assert inventory()["team/app:2.0"] == digest
    assert Event.objects.exclude(event_id="good").count() == 1
    assert not Event.objects.exclude(due_at=None).exists()
    assert not any(".." in path or "#" in path for path in registry.asked)


def test_a_tag_that_is_pushed_all_the_time_is_asked_about_once(registry: ModelRegistry) -> None:
    pushes = []
    for number in range(20):
        digest = push(registry, "1.0", f"{number}")
        pushes.append(event("push", str(number), target={"tag": "1.0", "digest": digest}))
    views.store_events(json.dumps({"events": pushes}).encode(), timezone.now())
    process_due(client(registry))
    registry.asked.clear()
    Event.objects.exclude(due_at=None).update(due_at=timezone.now())
    process_due(client(registry))
    assert registry.asked == ["/v2/team/app/manifests/1.0"]
    assert not Event.objects.exclude(due_at=None).exists()
    assert inventory() == {"team/app:1.0": digest}


def test_who_reads_a_tag_for_an_event_takes_its_mark_away(registry: ModelRegistry) -> None:
    Tag.objects.update(unreadable_since=timezone.now())
    tell(registry, event("push", target={"tag": "1.0", "digest": Tag.objects.get().manifest_id}))
    assert Tag.objects.get().unreadable_since is None


def test_what_nobody_owns_is_named_and_nothing_else(registry: ModelRegistry) -> None:
    tell(
        registry,
        event("push", repository="nobody/app", target={"tag": "1", "digest": factories.digest_of("x")}),
    )
    assert Repository.objects.get(name="nobody/app").image is None
    assert registry.asked == []


@pytest.mark.parametrize(
    ("cause", "others"), [(LockNotAvailable, True), (AdminShutdown, False), (UndefinedColumn, False)]
)
def test_one_whose_repository_is_locked_for_long_does_not_stand_before_all_others(
    registry: ModelRegistry, cause: type[Exception], others: bool
) -> None:
    """But without a database, or with the tables of another version, the work ends at once, and nothing is noted."""
    digest = push(registry, "2.0", "two")
    target = {"tag": "2.0", "digest": digest}
    locked = event("push", "locked", "team/locked", target=target)
    body = {"events": [locked, event("push", "free", target=target)]}
    views.store_events(json.dumps(body).encode(), timezone.now())
    error = statements.caused_by(cause())
    ends = nullcontext() if others else pytest.raises(DatabaseError)
    with ends, statements.failing('"namespaces_image"', error, of="locked"):
        process_due(client(registry))
    assert ("team/app:2.0" in inventory()) is others
    assert bool(Event.objects.get(event_id="locked").problem) is others
