"""An existing registry is adopted, and a wiped one is let go, both by an operator."""

import shutil
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Person
from namespaces.models import Image, Tag
from registry_sync import selectors
from registry_sync.client import RegistryClient
from registry_sync.models import Repository, SyncRun
from registry_sync.operations import service
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests.cast import Cast, principal_of
from tests.contract.conftest import push
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db]


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
    assert run
    return run


def test_what_is_unassigned_shows_its_tags_after_it_was_given(
    registry: RunningRegistry, cast: Cast, operator: Person
) -> None:
    digest = push(registry, "old/deep/app", "1.0", images.Image())
    push(registry, "nginx", "latest", images.Image(env=["A=1"]))
    sync(registry)
    assert [(group.first, group.repositories) for group in selectors.unassigned_groups()] == [
        ("nginx", 1),
        ("old", 1),
    ]
    assert not Image.objects.exists()
    service.assign(by=principal_of(operator), first="old", handle="team-red")
    assert sync(registry).state == "done"
    assert dict(Tag.objects.values_list("image__name", "manifest_id")) == {"deep/app": digest}
    assert [group.first for group in selectors.unassigned_groups()] == ["nginx"]


def test_a_wiped_registry_is_held_until_it_is_let_go(
    registry: RunningRegistry, cast: Cast, operator: Person, tmp_path: Path
) -> None:
    for number in range(6):
        push(registry, f"old/app{number}", "1.0", images.Image())
    sync(registry)
    service.assign(by=principal_of(operator), first="old", handle="team-red")
    sync(registry)
    assert Tag.objects.count() == 6
    shutil.rmtree(tmp_path / "data" / "docker" / "registry" / "v2" / "repositories" / "old")
    registry.restart()
    push(registry, "old/other", "1.0", images.Image())
    assert sync(registry).state == "needs_approval"
    held = selectors.run_needing_approval()
    assert held
    assert selectors.freshness(timezone.now()).state == "needs_approval"
    assert Tag.objects.count() == 6
    service.approve_deletions(by=principal_of(operator), run=held, confirmation="approve deletion")
    assert (sync(registry).state, selectors.run_needing_approval()) == ("done", None)
    assert list(Repository.objects.values_list("name", flat=True)) == ["old/other"]
