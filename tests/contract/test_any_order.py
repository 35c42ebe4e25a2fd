"""An image that two repositories hold, of which one lacks a platform, is told of alike in any order it was seen in."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.contract.conftest import delete, push, push_manifest
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
ONE, TWO = images.two_platforms()
INDEX = images.index([ONE, TWO])
OUTER = images.index_of(INDEX, ONE.manifest)
WHOLE, SPARSE = "team/whole", "team/sparse"
HELD = {
    WHOLE: {ONE.digest, TWO.digest, INDEX.digest, OUTER.digest},
    SPARSE: {ONE.digest, INDEX.digest, OUTER.digest},
}
PUSHES = [
    *[(repository, digest, "") for repository in HELD for digest in (ONE.digest, INDEX.digest)],
    (WHOLE, TWO.digest, ""),
    (WHOLE, OUTER.digest, "1.0"),
    (SPARSE, OUTER.digest, "1.0"),
]
STEPS = [*PUSHES, "sync"]


@pytest.fixture
def filled(registry: RunningRegistry, db: None) -> RunningRegistry:
    for repository in HELD:
        push(registry, repository, "1.0", ONE, TWO)
        push_manifest(registry, repository, INDEX.digest, INDEX)
        push_manifest(registry, repository, "1.0", OUTER)
    delete(registry, SPARSE, TWO.digest)
    return registry


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.permutations(STEPS), st.integers(0, len(STEPS)))
def test_two_repositories_and_one_truth(filled: RunningRegistry, steps: list[Any], lost_from: int) -> None:
    """The first steps as they come, and what they did not show is found by a sync."""
    forget()
    account = factories.NamespaceFactory(name="team").account
    for step in steps[:lost_from]:
        if step == "sync":
            sync(filled)
        else:
            told(filled, *step)
    sync(filled)
    for repository, digests in HELD.items():
        image = Image.objects.get(name=repository.removeprefix("team/"))
        assert (
            set(
                RepositoryManifest.objects.filter(image=image, gone_at=None).values_list(
                    "manifest_id", flat=True
                )
            )
            == digests
        )
        assert Tag.objects.get(image=image).size == image.size == 2 * size(ONE) + size(TWO)
    index, outer = (Manifest.objects.get(digest=blob.digest) for blob in (INDEX, OUTER))
    assert [(each["platform"], each["size"]) for each in index.platforms] == [
        ("linux/amd64", size(ONE)),
        ("linux/arm64", size(TWO)),
    ]
    assert [each["size"] for each in outer.platforms] == [size(ONE) + size(TWO), size(ONE)]
    assert index.created_at == outer.created_at == datetime.fromisoformat(images.CREATED)
    assert account.namespaces.count() == 1


def size(image: images.Image) -> int:
    return sum(len(blob.content) for blob in (*image.layer_blobs, image.config))


def forget() -> None:
    """As a panel that has just been set up."""
    for model in (Event, Tag, RepositoryManifest, Manifest, Image):
        model.objects.all().delete()
    factories.NamespaceFactory._meta.model.objects.all().delete()


NUMBERS = itertools.count()


def told(registry: RunningRegistry, repository: str, digest: str, tag: str) -> None:
    target = {"repository": repository, "digest": digest, "mediaType": images.INDEX} | (
        {"tag": tag} if tag else {}
    )
    event = {
        "id": f"event{next(NUMBERS)}",
        "action": "push",
        "timestamp": datetime.now(UTC).isoformat(),
        "target": target,
    }
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    process_due(RegistryClient(registry.url, PanelTokens()))


def sync(registry: RunningRegistry) -> None:
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
    assert run
    assert run.state == "done", run.problem
