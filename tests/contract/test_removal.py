"""Untag, delete and restore against real registries of both generations: what is done, and what is left alone."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.common.errors import Conflict
from accounts.models import AuditEvent
from namespaces.models import Manifest, RepositoryManifest, TagHistoryEntry
from registry_sync.client import RegistryClient, RepositoryTags, TagCrawler
from registry_sync.deletion import live_tags, service
from registry_sync.events import processor
from registry_sync.models import Event
from registry_sync.panel_client import PanelTokens
from tests import factories
from tests.contract.conftest import delete, push, push_manifest
from tests.contract.removals import Place, ends, place
from tests.parts import images, processes
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]

OTHER = images.Image(env=["A=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def test_untag_takes_one_tag_and_leaves_the_others_and_the_image(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "latest", images.Image())
    there.sync()
    removal = there.untag("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert (there.points_at("1.0"), there.points_at("latest"), there.points_at(digest)) == (
        "",
        digest,
        digest,
    )
    assert there.tags() == {"latest": digest}
    move = TagHistoryEntry.objects.latest("id")
    assert (move.tag, move.old, move.new, move.how, move.by) == (
        "1.0",
        digest,
        "",
        "panel",
        "owner@example.com",
    )
    event = AuditEvent.objects.get(action="tag.removed")
    assert (event.object, event.before, event.actor) == (
        "team/app:1.0",
        {"digest": digest},
        "owner@example.com",
    )
    there.sync()
    assert there.tags() == {"latest": digest}
    assert RepositoryManifest.objects.get(manifest=digest).gone_at is None


def test_an_index_that_calls_a_layer_a_manifest_can_be_deleted_and_keeps_nothing_else(there: Place) -> None:
    """Registries take it (3.1 while it remembers the layer), and answer 500 for that manifest."""
    good = push(there.registry, "team/app", "1.0", images.Image())
    layer = images.Image().layer_blobs[0]
    lie = {**layer.descriptor, "mediaType": images.MANIFEST}
    odd = push_manifest(there.registry, "team/app", "odd", images.index_with([lie]))
    there.sync()
    for tag, digest in (("1.0", good), ("odd", odd)):
        removal = there.delete(tag)
        there.work()
        assert ends(removal)[0] == "done"
        assert there.points_at(tag) == there.points_at(digest) == ""


def test_untag_of_several_and_of_the_last_tag_keeps_the_image(there: Place) -> None:
    one = push(there.registry, "team/app", "1.0", images.Image())
    two = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    removal = there.untag("1.0", "2.0")
    there.work()
    assert ends(removal) == ("done", ["done", "done"])
    assert (there.points_at(one), there.points_at(two)) == (one, two)
    assert there.tags() == {}
    assert there.image().tag_count == 0


def test_what_was_untagged_or_moved_is_put_back(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.sync()
    back = there.restore("1.0", old)
    there.work()
    assert ends(back) == ("done", ["done"])
    assert there.points_at("1.0") == old
    assert there.tags() == {"1.0": old}
    there.untag("1.0")
    there.work()
    again = there.restore("1.0", new)
    there.work()
    assert ends(again) == ("done", ["done"])
    assert (there.points_at("1.0"), there.tags()) == (new, {"1.0": new})
    assert AuditEvent.objects.filter(action="tag.restored").count() == 2
    there.sync()
    moves = TagHistoryEntry.objects.order_by("id").values_list("old", "new")
    assert list(moves) == [("", old), (old, new), (new, old), (old, ""), ("", new)]


def test_an_index_is_put_back_whole(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", *images.two_platforms())
    there.sync()
    there.untag("1.0")
    there.work()
    assert there.points_at("1.0") == ""
    there.restore("1.0", digest)
    there.work()
    assert there.points_at("1.0") == digest


def test_delete_takes_the_digest_and_every_tag_that_was_named(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    push(there.registry, "team/app", "latest", images.Image())
    kept = push(there.registry, "team/app", "2.0", OTHER)
    there.sync()
    shown = service.preview(there.image(), tags=["1.0"])
    assert shown.impact.other_tags == ("latest",)
    image = images.Image()
    own = (image.config, image.manifest)  # the layers are those of 2.0 too
    assert shown.space.freed_bytes == sum(len(blob.content) for blob in own)
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert (there.points_at(digest), there.points_at("latest")) == ("", "")
    assert there.tags() == {"2.0": kept}
    assert RepositoryManifest.objects.get(manifest=digest).gone_at
    event = AuditEvent.objects.get(action="manifest.deleted")
    assert event.before == {"digest": digest, "tags": "1.0, latest"}
    with pytest.raises(Conflict):
        there.restore("1.0", digest)


def test_an_index_goes_with_its_platforms_and_a_platform_of_a_tagged_one_never(there: Place) -> None:
    platforms = images.two_platforms()
    digest = push(there.registry, "team/app", "1.0", *platforms)
    shared = push(there.registry, "team/app", "amd64", platforms[0])
    there.sync()
    with pytest.raises(Conflict, match=r"one platform of the image tagged 1\.0"):
        there.delete("amd64")
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done", "done"])
    assert [there.points_at(each) for each in (digest, platforms[1].digest, shared)] == ["", "", shared]
    assert there.tags() == {"amd64": shared}


def test_a_platform_whose_index_came_after_the_inventory_is_kept(there: Place) -> None:
    """Asked for while it was a plain image; the direct look finds the index."""
    platforms = images.two_platforms()
    push(there.registry, "team/app", "amd64", platforms[0])
    there.sync()
    removal = there.delete("amd64")
    push(there.registry, "team/app", "1.0", *platforms)
    there.work()
    assert ends(removal) == ("failed", ["in_use"])
    assert there.points_at(platforms[0].digest)


def test_a_tag_that_came_meanwhile_holds_its_digest(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.delete("1.0")
    push(there.registry, "team/app", "new", images.Image())
    there.work()
    assert ends(removal) == ("failed", ["in_use"])
    assert removal.items.get().detail == "new"
    assert there.points_at("1.0") == digest


def looking(
    there: Place, registry: RegistryClient | None = None, *, clock: Callable[[], float] = time.monotonic
) -> live_tags.LiveTags:
    return live_tags.LiveTags(there.image(), registry or there.client(), lambda: None, clock=clock)


class Overtaken(RegistryClient):
    """A tag is pushed when all have been read."""

    def __init__(self, there: Place) -> None:
        super().__init__(there.registry.url, PanelTokens())
        self.there = there

    def crawler(self, *, paced: bool = True) -> "OvertakenCrawler":
        return OvertakenCrawler(self)


class OvertakenCrawler(TagCrawler):
    def __init__(self, client: Overtaken) -> None:
        super().__init__(client.url, client.token_for)
        self.there = client.there

    def read_tags(self, *arguments: Any, **more: Any) -> list[RepositoryTags]:
        read = super().read_tags(*arguments, **more)
        push(self.there.registry, "team/app", "late", images.Image())
        return read


def test_a_tag_that_comes_during_a_long_look_holds_its_digest(there: Place, settings: Any) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    settings.DELETION_SLOW_READ = -1
    removal = there.delete("1.0")
    there.work(Overtaken(there))
    assert ends(removal) == ("failed", ["in_use"])
    assert removal.items.get().detail == "late"
    assert there.points_at(digest) == digest


def test_a_look_is_as_old_as_its_beginning(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    moments = iter([100.0, 100.0, 100.5, 107.0, 107.0, 107.5])
    look = looking(there, Overtaken(there), clock=lambda: next(moments))
    assert look.objections(digest, {"tags": ["1.0"]}) == []
    assert look.objections(digest, {"tags": ["1.0"]}) == ["late"]


def test_a_tag_that_an_event_told_of_since_the_look_holds_its_digest(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    look = looking(there)
    assert look.objections(digest, {"tags": ["1.0"]}) == []
    factories.TagFactory(image=there.image(), name="told", manifest=Manifest.objects.get(digest=digest))
    assert look.objections(digest, {"tags": ["1.0"]}) == ["told"]


def test_an_index_in_an_index_that_came_meanwhile_holds_its_leaf(there: Place) -> None:
    leaf = images.Image()
    digest = push(there.registry, "team/app", "1.0", leaf)
    there.sync()
    removal = there.delete("1.0")
    top = leaf.manifest
    for _depth in range(3):
        top = images.index_of(top)
        push_manifest(there.registry, "team/app", top.digest, top)
    push_manifest(there.registry, "team/app", "nested", top)
    there.work()
    assert ends(removal) == ("failed", ["in_use"])
    assert there.points_at(digest) == digest


def test_what_moved_meanwhile_is_left_alone(there: Place) -> None:
    push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    removal = there.untag("1.0")
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.work()
    assert ends(removal) == ("failed", ["tag_moved"])
    assert there.points_at("1.0") == new
    assert not AuditEvent.objects.filter(action="tag.removed").exists()


def test_a_restore_does_not_overwrite_a_push_meanwhile(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    removal = there.restore("1.0", old)
    new = push(there.registry, "team/app", "1.0", OTHER)
    there.work()
    assert ends(removal) == ("failed", ["tag_moved"])
    assert there.points_at("1.0") == new


def test_what_the_registry_lost_cannot_be_put_back(there: Place) -> None:
    old = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    delete(there.registry, "team/app", old)
    removal = there.restore("1.0", old)
    there.work()
    assert ends(removal) == ("failed", ["not_found"])
    assert RepositoryManifest.objects.get(manifest=old).gone_at


@pytest.mark.parametrize(
    ("storage", "outcome"),
    [
        ({"delete": {"enabled": False}}, "deletion_disabled"),
        ({"delete": {"enabled": True}, "maintenance": {"readonly": {"enabled": True}}}, "read_only"),
    ],
)
def test_a_registry_that_takes_no_deletion_says_so_and_keeps_all(
    there: Place, storage: dict[str, Any], outcome: str
) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    push(there.registry, "team/app", "2.0", images.Image())
    there.sync()
    config = json.loads(there.registry.config.read_text())
    config["storage"] = {**config["storage"], **storage}
    there.registry.config.write_text(json.dumps(config))
    there.registry.restart()
    untag, deletion = there.untag("2.0"), there.delete("2.0")
    there.work()
    assert ends(untag) == ("failed", [outcome])
    assert ends(deletion) == ("failed", [outcome])
    assert there.points_at("2.0") == digest
    assert there.tags() == {"2.0": digest}
    back = there.restore("1.0", digest)
    there.work()
    assert ends(back) == (("done", ["done"]) if outcome == "deletion_disabled" else ("failed", ["read_only"]))


def test_what_the_registry_tells_afterwards_changes_nothing(
    telling_registry: RunningRegistry, settings: Any
) -> None:
    """And a placeholder, told of before it was deleted, is never shown."""
    settings.EVENT_CONFIRM_AFTER = 0.1
    there = place(telling_registry)
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    push(telling_registry, "team/app", "latest", images.Image())
    there.sync()
    _settle(there, until=lambda: Event.objects.filter(tag="latest", action="push").exists())
    Event.objects.all().delete()
    there.untag("1.0")
    there.work()
    _settle(there, until=lambda: Event.objects.filter(action="delete", tag="1.0").exists())
    assert there.tags() == {"latest": digest}
    moves = TagHistoryEntry.objects.filter(tag="1.0").order_by("at", "id")
    assert list(moves.values_list("new", flat=True)) == [digest, ""]
    assert moves[1].how == "panel"
    there.restore("1.0", digest)
    there.work()
    _settle(there, until=lambda: Event.objects.filter(action="push", tag="1.0", digest=digest).exists())
    assert there.tags() == {"latest": digest, "1.0": digest}
    last = TagHistoryEntry.objects.filter(tag="1.0").latest("id")
    assert (last.how, last.by) == ("panel", "owner@example.com")


def _settle(there: Place, *, until: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + processes.PATIENCE
    while not until() or Event.objects.exclude(due_at=None).exists():
        assert time.monotonic() < ends_at, list(Event.objects.values_list("action", "tag", "problem"))
        processor.process_due(there.client())
        threading.Event().wait(0.02)


def test_what_only_the_history_knows_can_be_deleted_too(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    there.untag("1.0")
    there.work()
    image = there.image()
    told = service.preview(image, digests=[digest]).preview_digest
    removal = service.delete(
        by=there.by, image=image, tags=(), digests=[digest], preview_digest=told, confirmation="app"
    )
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.points_at(digest) == ""


def test_a_tag_that_leads_nowhere_does_not_stop_a_deletion(there: Place) -> None:
    """A registry that lost a manifest still lists its tag."""
    broken = push(there.registry, "team/app", "broken", OTHER)
    digest = push(there.registry, "team/app", "1.0", images.Image())
    there.sync()
    root = Path(json.loads(there.registry.config.read_text())["storage"]["filesystem"]["rootdirectory"])
    (link,) = root.glob(f"**/_manifests/revisions/sha256/{broken.partition(':')[2]}/link")
    link.unlink()
    there.registry.restart()
    assert there.points_at("broken") == ""
    removal = there.delete("1.0")
    there.work()
    assert ends(removal) == ("done", ["done"])
    assert there.points_at(digest) == ""
