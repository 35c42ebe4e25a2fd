"""Content does not follow a name: whatever was pushed under it, and however late, the next account reads nothing."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone

from accounts.common.errors import Conflict
from accounts.models import Person
from namespaces.access import Level
from namespaces.models import Image, Namespace, ReservedName, Tag
from namespaces.services import namespaces
from registry_sync import selectors
from registry_sync.client import RegistryClient
from registry_sync.events import processor
from registry_sync.models import Event, SyncRun
from registry_sync.operations import service
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.cast import Cast, principal_of
from tests.contract.conftest import bearer, push, push_blob, push_manifest
from tests.django.registry_sync.tokens.test_issuer import access, ask
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
WHEN, HOW = ["before", "during", "after"], ["tag", "digest", "blob"]


@dataclass
class Story:
    """Team Red has a namespace and deletes it; `elsewhere` is who wants the name then."""

    cast: Cast
    registry: RunningRegistry
    name: str

    def __post_init__(self) -> None:
        self.shown = images.Image(env=[f"SECRET={self.name}"])
        self.repository = f"{self.name}/app"

    def create(self, who: str) -> Any:
        """The namespace, with a user who may push and pull in it."""
        account = self.cast.account if who == "owner" else self.cast.elsewhere
        made = namespaces.create(by=self.cast.by(who), account=account, name=self.name)
        user = factories.RegistryUserFactory(account=account)
        factories.GrantFactory(user=user, namespace=made, level=Level.WRITE)
        return user

    def delete(self) -> None:
        found = Namespace.objects.get(name=self.name)
        namespaces.delete(by=self.cast.by("owner"), namespace=found, confirmation=self.name)

    def push(self, when: str, how: str) -> None:
        """By an account whose token is good; in parts, so that a deletion can come in between."""
        blobs = [*self.shown.layer_blobs, self.shown.config]
        parts: list[Callable[[], object]] = [
            lambda: [push_blob(self.registry, self.repository, b) for b in blobs]
        ]
        if how != "blob":
            reference = "1.0" if how == "tag" else self.shown.digest
            parts.append(
                lambda: push_manifest(self.registry, self.repository, reference, self.shown.manifest)
            )
        early = {"before": len(parts), "during": 1, "after": 0}[when]
        if how == "blob" and when == "during":
            early, parts = 1, self._upload_in_two()
        for part in parts[:early]:
            part()
        self.delete()
        for part in parts[early:]:
            part()

    def _upload_in_two(self) -> list[Callable[[], object]]:
        auth, blob = bearer(self.repository, "pull", "push"), self.shown.layer_blobs[0]
        begun: list[str] = []

        def begin() -> None:
            url = f"{self.registry.url}/v2/{self.repository}/blobs/uploads/"
            location = requests.post(url, headers=auth, timeout=120).headers["Location"]
            begun.append(location if location.startswith("http") else self.registry.url + location)

        def end() -> None:
            put = requests.put(
                begun[0], params={"digest": blob.digest}, data=blob.content, headers=auth, timeout=120
            )
            assert put.status_code == 201

        return [begin, end]

    def is_there(self) -> bool:
        url = f"{self.registry.url}/v2/{self.repository}/blobs/{self.shown.layer_blobs[0].digest}"
        found = requests.head(url, headers=bearer(self.repository, "pull"), timeout=120)
        return found.status_code == 200

    def the_other_gets_nothing(self) -> None:
        with pytest.raises(Conflict, match="taken"):
            self.create("stranger")
        theirs = factories.RegistryUserFactory(account=self.cast.elsewhere)
        status, body = ask(theirs, f"repository:{self.repository}:pull,push")
        assert (status, access(body)) == (200, {})
        assert not Image.objects.filter(namespace__account=self.cast.elsewhere).exists()


def sync(registry: RunningRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, PanelTokens()))
    assert run
    return run


def work(registry: RunningRegistry) -> None:
    Event.objects.exclude(due_at=None).update(due_at=timezone.now())
    processor.process_due(RegistryClient(registry.url, PanelTokens()))


def time_passes() -> None:
    ReservedName.objects.exclude(until=None).update(until=timezone.now() - timedelta(days=30))


def goes_nowhere(cast: Cast, registry: RunningRegistry, events: str) -> None:
    sync(registry)
    for when, how in product(WHEN, HOW):
        story = Story(cast, registry, f"{when}-{how}")
        story.create("owner")
        story.push(when, how)
        assert story.is_there()
        time_passes()
        story.the_other_gets_nothing()
        if events == "lost":
            Event.objects.all().delete()
        sync(registry)
        story.the_other_gets_nothing()
        work(registry)
        sync(registry)
        story.the_other_gets_nothing()
        story.create("owner")
        sync(registry)
        assert Tag.objects.filter(image__namespace__name=story.name).count() == (how == "tag")


def test_without_events(registry: RunningRegistry, cast: Cast) -> None:
    goes_nowhere(cast, registry, "off")


@pytest.mark.parametrize("events", ["late", "lost"])
def test_with_events(telling_registry: RunningRegistry, cast: Cast, events: str) -> None:
    goes_nowhere(cast, telling_registry, events)


def test_what_an_adopted_registry_holds_is_nobodys(registry: RunningRegistry, cast: Cast) -> None:
    """By a tag, and by digest alone; of layers alone (and uploads) only 2.8 tells."""
    push(registry, "tagged/app", "1.0", images.Image())
    shown = images.Image(env=["A=1"])
    push(registry, "digest/app", shown.digest, shown)
    push_blob(registry, "layers/app", shown.layer_blobs[0])
    sync(registry)
    listed = {"tagged", "digest"} | ({"layers"} if registry.version == "2.8" else set())
    assert {group.first for group in selectors.unassigned_groups()} == listed
    for name in listed:
        with pytest.raises(Conflict, match="taken"):
            Story(cast, registry, name).create("stranger")


def test_an_operator_clears_a_name_only_when_the_registry_lists_nothing(
    registry: RunningRegistry, cast: Cast, operator: Person
) -> None:
    by = principal_of(operator)
    for how in HOW:
        story = Story(cast, registry, f"of-{how}")
        story.create("owner")
        story.push("after", how)
    time_passes()
    sync(registry)
    for name in ["of-tag", "of-digest", *(["of-blob"] if registry.version == "2.8" else [])]:
        with pytest.raises(Conflict, match="holds 1 repository"):
            service.release_name(by=by, name=name, confirmation=name)
    if registry.version != "2.8":  # the page says that layers alone are not listed
        service.release_name(by=by, name="of-blob", confirmation="of-blob")
    service.assign(by=by, first="of-tag", handle="elsewhere")
    sync(registry)
    assert Tag.objects.get().image.namespace.account == cast.elsewhere


def test_what_was_removed_from_the_storage_can_be_cleared_and_is_gone_with_its_layers(
    registry: RunningRegistry, cast: Cast, operator: Person, tmp_path: Path
) -> None:
    """As docs/operations.md says."""
    push(registry, "other/app", "1.0", images.Image())  # else the whole registry would seem wiped
    sync(registry)
    stories = [Story(cast, registry, f"of-{how}") for how in HOW]
    for story, how in zip(stories, HOW, strict=True):
        story.create("owner")
        story.push("after", how)
    time_passes()
    sync(registry)
    registry.stop()
    for story in stories:
        shutil.rmtree(tmp_path / "data" / "docker" / "registry" / "v2" / "repositories" / story.name)
    registry.restart()
    assert selectors.unassigned().exists()
    assert sync(registry).state == "done"
    for story in stories:
        service.release_name(by=principal_of(operator), name=story.name, confirmation=story.name)
        story.create("stranger")
        assert not story.is_there()
    sync(registry)
    assert not Tag.objects.exists()
