"""What a run finds and no event told is written down, and what is about to be told is not."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from namespaces.models import Namespace
from registry_sync.client import RegistryClient
from registry_sync.models import Drift, Event, Marker, Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    made = ModelRegistry()
    yield made
    made.stop()


def push(registry: ModelRegistry, tag: str, content: str, *, repository: str = "team/app") -> str:
    blob = Blob(KIND, json.dumps({"content": content}).encode())
    registry.push(repository, tag, KIND, blob.digest, blob.content)
    return blob.digest


def untold(registry: ModelRegistry) -> set[str]:
    """What the next run writes down."""
    run = reconcile(RegistryClient(registry.url, lambda *_scope: "token"))
    assert run
    assert run.state == SyncRun.State.DONE
    return {f"{each.repository}:{each.tag}" for each in Drift.objects.filter(run=run)}


def waits(action: str, *, tag: str = "", digest: str = "") -> None:
    """Applied a while ago, and to be confirmed yet."""
    Event.objects.create(
        event_id=f"{action}{tag}{digest}", action=action, repository="team/app", tag=tag, digest=digest,
        received_at=timezone.now() - timedelta(minutes=5), applied_at=timezone.now(),
        due_at=timezone.now() + timedelta(minutes=1),
    )  # fmt: skip


def test_nothing_of_the_first_check(registry: ModelRegistry) -> None:
    push(registry, "1", "a")
    assert untold(registry) == set()


def test_a_tag_that_came_moved_or_went(registry: ModelRegistry) -> None:
    for tag in ("moved", "gone", "same"):
        push(registry, tag, tag)
    untold(registry)
    push(registry, "moved", "new")
    push(registry, "came", "new")
    registry.untag("team/app", "gone")
    assert untold(registry) == {"team/app:moved", "team/app:came", "team/app:gone"}
    assert untold(registry) == set()


def test_a_repository_that_came_between_two_checks(registry: ModelRegistry) -> None:
    """Whoever pushes nothing but new images would else never learn that events are lost."""
    untold(registry)
    push(registry, "1", "a", repository="team/new")
    assert untold(registry) == {"team/new:1"}


def test_none_that_was_there_and_got_an_owner(registry: ModelRegistry) -> None:
    push(registry, "1", "a", repository="old/app")
    untold(registry)
    untold(registry)
    Namespace.objects.create(name="old", account=factories.AccountFactory())
    assert untold(registry) == set()
    assert Repository.objects.get(name="old/app").image


def test_what_an_event_waits_to_confirm_hides_that_tag_alone(registry: ModelRegistry) -> None:
    """In a repository that is pushed to all the time an event is always waiting."""
    for tag in ("busy", "quiet"):
        push(registry, tag, "old")
    untold(registry)
    waits("push", tag="busy")
    for tag in ("busy", "quiet"):
        push(registry, tag, "new")
    assert untold(registry) == {"team/app:quiet"}


def test_a_deletion_by_digest_explains_the_tags_that_went_with_it(registry: ModelRegistry) -> None:
    digest = push(registry, "gone", "a")
    push(registry, "untagged", "b")
    untold(registry)
    waits("delete", digest=digest)
    registry.delete("team/app", digest)
    registry.untag("team/app", "untagged")
    assert untold(registry) == {"team/app:untagged"}
