"""The inventory after a sync is the registry, and nothing but."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone

from accounts.models import AuditEvent
from namespaces.models import Image, Manifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.models import Marker, Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.contract.conftest import delete, push
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _namespace(db: None) -> None:
    factories.NamespaceFactory(name="team")


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
    assert run
    return run


def tags() -> dict[str, str]:
    return {
        f"{tag.image.repository}:{tag.name}": tag.manifest_id
        for tag in Tag.objects.select_related("image__namespace")
    }


def rows() -> str:
    everything: list[Any] = [
        row for model in (Image, Tag, Manifest, Repository) for row in model.objects.order_by("pk")
    ]
    return serializers.serialize("json", everything)


def test_images_tags_digests_sizes_and_platforms_appear(registry: RunningRegistry) -> None:
    one, two = images.Image(labels={"a": "b"}), images.two_platforms()
    single, multi = push(registry, "team/app", "1.0", one), push(registry, "team/deep/multi", "latest", *two)
    push(registry, "team/app", "same", one)
    run = sync(registry)
    assert (run.state, run.problem) == ("done", "")
    assert tags() == {"team/app:1.0": single, "team/app:same": single, "team/deep/multi:latest": multi}
    manifest = Manifest.objects.get(digest=single)
    assert manifest.size == sum(len(blob.content) for blob in (*one.layer_blobs, one.config))
    assert manifest.details["config"]["labels"] == {"a": "b"}
    assert [layer["command"] for layer in manifest.details["layers"]] == ["COPY hello /", "COPY etc/motd /"]
    platforms = Manifest.objects.get(digest=multi).platforms
    assert [each["platform"] for each in platforms] == ["linux/amd64", "linux/arm64"]
    assert Image.objects.get(name="app").tag_count == 2


def test_a_catalog_of_many_pages_is_read_to_its_end_in_the_registrys_own_order(
    registry: RunningRegistry,
) -> None:
    """A folder and its neighbours, which text, folders and object storage sort differently."""
    names = ["team/a", "team/a-b", "team/a/b", "team/a.b", "team/a-b/c", "team/a0", "team-a/b", "team"]
    for name in names:
        push(registry, name, "1.0", images.Image(labels={"a": "b"}))
    found = RegistryClient(registry.url, PanelTokens()).repositories(page_size=1)
    assert (sorted(set(found.names) & {*names}), found.strange) == (sorted(names), 0)


def test_an_unchanged_registry_writes_no_row(registry: RunningRegistry) -> None:
    push(registry, "team/app", "1.0", images.Image())
    sync(registry)
    before = rows()
    again = sync(registry)
    assert (again.changes, again.state) == (0, "done")
    assert again.requests == 3  # the catalog, the tags, one conditional manifest
    assert rows() == before


def test_a_moved_tag_follows_and_a_deleted_one_goes(registry: RunningRegistry) -> None:
    push(registry, "team/app", "1.0", images.Image())
    kept = push(registry, "team/app", "2.0", images.Image(env=["A=1"]))
    sync(registry)
    moved = push(registry, "team/app", "1.0", images.Image(env=["B=2"]))
    sync(registry)
    assert tags() == {"team/app:1.0": moved, "team/app:2.0": kept}
    delete(registry, "team/app", moved)
    sync(registry)
    assert tags() == {"team/app:2.0": kept}


def test_a_registry_that_is_down_changes_nothing(registry: RunningRegistry) -> None:
    push(registry, "team/app", "1.0", images.Image())
    sync(registry)
    before = rows()
    registry.stop()
    run = sync(registry)
    assert run.state == "failed"
    assert "does not answer" in run.problem
    assert rows() == before
    registry.restart()
    assert sync(registry).state == "done"
    assert rows() == before


def test_what_nobody_owns_is_unassigned_until_its_namespace_is(registry: RunningRegistry) -> None:
    push(registry, "orphan/app", "1.0", images.Image())
    sync(registry)
    assert tags() == {}
    assert Repository.objects.get(name="orphan/app").image is None
    factories.NamespaceFactory(name="orphan")
    sync(registry)
    assert list(tags()) == ["orphan/app:1.0"]


def test_a_registry_restored_from_a_copy_is_said_to_be_rolled_back(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    data, copy = tmp_path / "data", tmp_path / "copy"
    for version in ("old", "new"):
        for tag in ("1", "2", "3"):
            push(registry, "team/app", tag, images.Image(env=[f"{version}={tag}"]))
        sync(registry)
        if version == "old":
            shutil.copytree(data, copy)
    registry.stop()
    shutil.rmtree(data)
    copy.rename(data)
    registry.restart()
    sync(registry)
    (told,) = AuditEvent.objects.filter(action="sync.rolled_back")
    assert (told.actor, told.after) == ("system", {"tags": 3})
