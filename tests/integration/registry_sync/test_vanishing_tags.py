"""A registry that was restored from an old copy still lists its repositories, and much of what was in them is gone."""

import json
from collections.abc import Iterator

import pytest

from namespaces.models import Image, Tag, TagMove
from registry_sync import operating, selectors
from registry_sync.client import Registry
from registry_sync.models import Repository, SyncRun
from registry_sync.sync.reconcile import reconcile
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
    run = reconcile(Registry(registry.url, lambda *_scope: "token"))
    assert run
    return run


def lose(registry: ModelRegistry, count: int) -> None:
    for number in range(count):
        registry.untag("team/app", f"1.{number}")


def test_where_many_tags_would_vanish_none_does_and_an_operator_is_asked(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    held = sync(registry)
    assert held.state == SyncRun.State.HELD
    assert f"{MANY} tags" in held.problem
    assert selectors.held() == held
    assert Tag.objects.exclude(missing_since=None).count() == MANY  # and each says so
    again = sync(registry)
    assert (again.state, again.changes) == (SyncRun.State.HELD, 0)
    assert Tag.objects.count() == MANY


def test_what_came_beside_it_is_written(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    blob = Blob(KIND, json.dumps({"content": "new"}).encode())
    registry.push("team/app", "2.0", KIND, blob.digest, blob.content)
    assert sync(registry).state == SyncRun.State.HELD
    assert Tag.objects.get(name="2.0").manifest_id == blob.digest


def test_an_operator_lets_them_go(registry: ModelRegistry) -> None:
    by = principal_of(factories.PersonFactory(is_staff=True))
    sync(registry)
    lose(registry, MANY)
    operating.let_them_go(by=by, run=sync(registry), typed=operating.LET_GO)
    assert sync(registry).state == SyncRun.State.DONE
    assert not Tag.objects.exists()
    assert TagMove.objects.filter(new="").count() == MANY
    assert Image.objects.count() == Repository.objects.count() == 1  # still listed


def test_a_registry_that_comes_back_takes_the_marks_away(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, MANY)
    sync(registry)
    blob = Blob(KIND, json.dumps({"content": "kept"}).encode())
    for number in range(MANY):
        registry.push("team/app", f"1.{number}", KIND, blob.digest, blob.content)
    assert sync(registry).state == SyncRun.State.DONE
    assert Tag.objects.filter(missing_since=None).count() == MANY


def test_a_few_go_without_asking(registry: ModelRegistry) -> None:
    sync(registry)
    lose(registry, 5)
    assert sync(registry).state == SyncRun.State.DONE
    assert Tag.objects.count() == MANY - 5
