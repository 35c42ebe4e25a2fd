"""A registry that was restored from an old copy still lists its repositories, and much of what was in them is gone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from namespaces.models import Image, Tag, TagHistoryEntry
from registry_sync import selectors
from registry_sync.client import RegistryClient
from registry_sync.models import Repository, SyncRun
from registry_sync.operations import service
from registry_sync.reconcile.run import reconcile
from registry_sync.retention import preview
from registry_sync.view_scope import ViewScope
from tests import factories
from tests.cast import principal_of
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
MANY = 30


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    factories.NamespaceFactory(name="team")
    made = ModelRegistry()
    blob = Blob(KIND, json.dumps({"content": "kept"}).encode())
    for number in range(MANY):
        made.push("team/app", f"1.{number}", KIND, blob.digest, blob.content)
    yield made
    made.stop()


def sync(registry: ModelRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, lambda *_scope: "token"))
    assert run
    return run


def light(namespace: str) -> str:
    return selectors.freshness(timezone.now(), of=ViewScope(namespace=namespace)).state


def lose(registry: ModelRegistry, count: int) -> None:
    for number in range(count):
        registry.untag("team/app", f"1.{number}")


def test_where_many_tags_would_vanish_none_does_and_an_operator_is_asked(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    held = sync(registry)
    assert (held.state, held.tags_needing_approval) == (SyncRun.State.DONE, MANY)
    assert f"{MANY} tags" in held.problem
    assert selectors.run_needing_approval() == held
    assert Tag.objects.exclude(missing_since=None).count() == MANY  # and each says so
    again = sync(registry)
    assert (again.tags_needing_approval, again.changes) == (MANY, 0)
    assert Tag.objects.count() == MANY


def test_a_loss_that_is_spread_over_the_parts_of_a_run_is_one(registry: ModelRegistry, settings: Any) -> None:
    settings.SYNC_SHARD_SIZE = 4
    blob = Blob(KIND, json.dumps({"content": "spread"}).encode())
    for number in range(60):
        registry.push(f"team/each{number}", "latest", KIND, blob.digest, blob.content)
    sync(registry)
    for number in range(60):
        registry.untag(f"team/each{number}", "latest")
    first = sync(registry)
    assert first.tags_needing_approval >= 40  # those of the first few parts went, as after any clearing up
    left = Tag.objects.filter(name="latest").count()
    assert left == first.tags_needing_approval
    again = sync(registry)
    assert (again.tags_needing_approval, Tag.objects.filter(name="latest").count()) == (left, left)


def test_whose_tags_are_held_holds_nobody_else(registry: ModelRegistry) -> None:
    """Their light, their rules, and what went from their own images."""
    factories.NamespaceFactory(name="others")
    blob = Blob(KIND, json.dumps({"content": "theirs"}).encode())
    for tag in ("1.0", "2.0"):
        registry.push("others/app", tag, KIND, blob.digest, blob.content)
    sync(registry)
    lose(registry, MANY)
    registry.untag("others/app", "1.0")
    sync(registry)
    assert [tag.name for tag in Tag.objects.filter(image__namespace__name="others")] == ["2.0"]
    assert (light("team"), light("others")) == ("needs_approval", "live")
    assert not preview.load_evidence().check_failed
    assert preview.is_uncertain(Image.objects.get(namespace__name="team"))
    assert not preview.is_uncertain(Image.objects.get(namespace__name="others"))


def test_what_many_lose_a_little_of_each_is_held(registry: ModelRegistry) -> None:
    blob = Blob(KIND, json.dumps({"content": "theirs"}).encode())
    names = [f"ns{number}" for number in range(11)]
    for name in names:
        factories.NamespaceFactory(name=name)
        for tag in range(4):
            registry.push(f"{name}/app", str(tag), KIND, blob.digest, blob.content)
    sync(registry)
    for name in names:
        registry.untag(f"{name}/app", "0")
        registry.untag(f"{name}/app", "1")
    assert sync(registry).tags_needing_approval == 22
    assert {light(name) for name in names} == {"needs_approval"}
    assert light("team") == "live"


def test_what_came_beside_it_is_written(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    blob = Blob(KIND, json.dumps({"content": "new"}).encode())
    registry.push("team/app", "2.0", KIND, blob.digest, blob.content)
    assert sync(registry).tags_needing_approval == MANY
    assert Tag.objects.get(name="2.0").manifest_id == blob.digest


def test_an_operator_lets_them_go(registry: ModelRegistry) -> None:
    by = principal_of(factories.PersonFactory(is_staff=True))
    sync(registry)
    lose(registry, MANY)
    service.approve_deletions(by=by, run=sync(registry), confirmation=service.APPROVAL_PHRASE)
    assert sync(registry).tags_needing_approval == 0
    assert not Tag.objects.exists()
    assert TagHistoryEntry.objects.filter(new="").count() == MANY
    assert Image.objects.count() == 1  # still listed
    assert Repository.objects.get().tags_needing_approval == 0
    assert light("team") == "live"


def test_a_registry_that_comes_back_takes_the_marks_away(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    sync(registry)
    blob = Blob(KIND, json.dumps({"content": "kept"}).encode())
    for number in range(MANY):
        registry.push("team/app", f"1.{number}", KIND, blob.digest, blob.content)
    assert sync(registry).tags_needing_approval == 0
    assert Tag.objects.filter(missing_since=None).count() == MANY
    assert Repository.objects.get().tags_needing_approval == 0


def test_a_few_go_without_asking(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, 5)
    assert sync(registry).tags_needing_approval == 0
    assert Tag.objects.count() == MANY - 5
