"""What registries take and is no image: one that pushes it harms nobody's picture, and sees what it is."""

import pytest
import requests

from namespaces.models import Manifest, Tag
from registry_sync.client import Registry
from registry_sync.connection import OwnTokens
from registry_sync.models import Repository, SyncRun
from registry_sync.sync.reconcile import reconcile
from tests import factories
from tests.contract.conftest import bearer, push, push_blob, push_manifest
from tests.parts import images
from tests.parts.images import INDEX, MANIFEST, Blob
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
LAYERS = [Blob(images.LAYER, f"layer {number}".encode()) for number in range(25)]


@pytest.fixture(autouse=True)
def _namespaces(db: None) -> None:
    for name in ("cache", "team"):
        factories.NamespaceFactory(name=name)


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(Registry(registry.url, OwnTokens()))
    assert run
    return run


def test_buildkits_cache_index_is_shown_with_its_size_and_keeps_nobodys_images_out(
    registry: RunningRegistry,
) -> None:
    """The blobs that it lists are no manifests: asked for as such, each is a 500 (3.1: while remembered)."""
    for blob in (*LAYERS, images.CACHE_CONFIG):
        push_blob(registry, "cache/app", blob)
    pushed = push_manifest(registry, "cache/app", "buildcache", images.cache_index(*LAYERS))
    plain = push(registry, "team/app", "1.0", images.Image())
    run = sync(registry)
    assert (run.state, run.unread) == (SyncRun.State.DONE, 0)
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"buildcache": pushed, "1.0": plain}
    row = Manifest.objects.get(digest=pushed)
    blobs = [*LAYERS, images.CACHE_CONFIG]
    assert (row.words, row.size) == ("BuildKit cache", sum(len(blob.content) for blob in blobs))
    assert row.due_at is None
    assert set(row.parts.values_list("kind", flat=True)) == {"layer", "config"}


def test_an_entry_that_is_called_a_manifest_and_is_a_layer_concerns_that_entry_alone(
    registry: RunningRegistry,
) -> None:
    """Distribution 2.8 takes it, and answers 500 to whoever asks for that manifest."""
    good = images.Image()
    push(registry, "cache/app", "good", good)
    for blob in LAYERS:
        push_blob(registry, "cache/app", blob)
    lies = [{**blob.descriptor, "mediaType": MANIFEST} for blob in LAYERS]
    index = images.index_with([{**good.manifest.descriptor, "platform": good.platform}, *lies])
    answer = requests.put(
        f"{registry.url}/v2/cache/app/manifests/odd",
        data=index.content,
        headers=bearer("cache/app", "pull", "push") | {"Content-Type": INDEX},
        timeout=60,
    )
    if registry.version == "2.8":
        assert answer.status_code == 201
    plain = push(registry, "team/app", "1.0", images.Image(env=["A=1"]))
    run = sync(registry)
    assert run.state == SyncRun.State.DONE
    assert Tag.objects.get(image__namespace__name="team").manifest_id == plain
    assert not Repository.objects.exclude(problem="").exists()
    if answer.status_code == 201:
        row = Manifest.objects.get(digest=index.digest)
        assert [each["platform"] for each in row.platforms if each["platform"]] == ["linux/amd64"]
        assert row.due_at  # what did not come is asked for again
        again = sync(registry)
        assert (again.state, again.changes) == (SyncRun.State.DONE, 0)
