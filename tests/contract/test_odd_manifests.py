"""What registries take and is no image: one that pushes it harms nobody's inventory, and sees what it is."""

import json
from typing import Any

import pytest

from namespaces.models import Manifest, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.models import Event, Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.contract.conftest import push, push_blob, push_manifest
from tests.contract.test_artifacts import until
from tests.parts import images
from tests.parts.images import MANIFEST, Blob
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
LAYERS = [Blob(images.LAYER, f"layer {number}".encode()) for number in range(25)]


@pytest.fixture(autouse=True)
def _namespaces(db: None) -> None:
    for name in ("cache", "team"):
        factories.NamespaceFactory(name=name)


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
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
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 0)
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"buildcache": pushed, "1.0": plain}
    row = Manifest.objects.get(digest=pushed)
    blobs = [*LAYERS, images.CACHE_CONFIG]
    assert (row.words, row.size) == ("BuildKit cache", sum(len(blob.content) for blob in blobs))
    assert RepositoryManifest.objects.get(manifest=row).due_at is None
    assert set(row.descriptors.values_list("kind", flat=True)) == {"layer", "config"}


def test_an_entry_that_is_called_a_manifest_and_is_a_layer_concerns_that_entry_alone(
    registry: RunningRegistry,
) -> None:
    """Registries take it (3.1 while it remembers the layer), and answer 500 to whoever asks for that manifest."""
    good = images.Image()
    push(registry, "cache/app", "good", good)
    for blob in LAYERS:
        push_blob(registry, "cache/app", blob)
    lies = [{**blob.descriptor, "mediaType": MANIFEST} for blob in LAYERS]
    index = images.index_with([{**good.manifest.descriptor, "platform": good.platform}, *lies])
    push_manifest(registry, "cache/app", "odd", index)
    plain = push(registry, "team/app", "1.0", images.Image(env=["A=1"]))
    run = sync(registry)
    assert (run.state, run.unreadable) == (SyncRun.State.DONE, 0)
    assert Tag.objects.get(image__namespace__name="team").manifest_id == plain
    assert not Repository.objects.exclude(problem="").exists()
    row = Manifest.objects.get(digest=index.digest)
    assert [each["platform"] for each in row.platforms if each["platform"]] == ["linux/amd64"]
    assert RepositoryManifest.objects.get(manifest=row).due_at  # what did not come is asked for again
    again = sync(registry)
    assert (again.state, again.changes) == (SyncRun.State.DONE, 0)


def test_a_layer_that_is_held_elsewhere_can_be_pushed_and_takes_no_space_here(
    registry: RunningRegistry,
) -> None:
    """As base images of Windows had them. Without `validation.manifests.urls` the registry answers 500."""
    shown = images.Image()
    for blob in (*shown.layer_blobs, shown.config):
        push_blob(registry, "team/app", blob)
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    there = {**Blob(kind, b"elsewhere").descriptor, "urls": ["https://example.com/layer"]}
    layers = [*(blob.descriptor for blob in shown.layer_blobs), there]
    said = {"schemaVersion": 2, "mediaType": MANIFEST, "config": shown.config.descriptor, "layers": layers}
    pushed = push_manifest(registry, "team/app", "1.0", Blob(MANIFEST, json.dumps(said).encode()))
    assert sync(registry).state == SyncRun.State.DONE
    row = Manifest.objects.get(digest=pushed)
    assert row.size == sum(len(blob.content) for blob in (*shown.layer_blobs, shown.config))
    assert there["digest"] not in row.descriptors.values_list("digest", flat=True)


def test_after_events_a_cache_and_an_odd_index_are_shown_too(
    telling_registry: RunningRegistry, settings: Any
) -> None:
    settings.EVENT_CONFIRM_AFTER = 0.3
    for blob in (*LAYERS, images.CACHE_CONFIG):
        push_blob(telling_registry, "cache/app", blob)
    lies = [{**blob.descriptor, "mediaType": MANIFEST} for blob in LAYERS]
    push_manifest(telling_registry, "cache/app", "buildcache", images.cache_index(*LAYERS))
    push_manifest(telling_registry, "cache/app", "odd", images.index_with(lies))
    push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: Tag.objects.count() == 3, telling_registry)
    until(lambda: not Event.objects.exclude(due_at=None).exists(), telling_registry)
    assert not Event.objects.exclude(problem="").exists()
