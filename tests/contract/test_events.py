"""What a real registry tells, applied: the picture follows without a look at the catalog."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from namespaces.models import Image, Manifest, Pull, Revision, Tag, TagMove
from registry_sync.client import Registry
from registry_sync.client.answers import MANIFEST_TYPES
from registry_sync.connection import OwnTokens
from registry_sync.models import Event, Repository
from registry_sync.notifications import apply
from registry_sync.sync import leases
from registry_sync.sync.reconcile import reconcile
from tests import factories
from tests.contract.conftest import bearer, delete, push
from tests.parts import images, processes
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _namespace(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.NamespaceFactory(name="team")
    monkeypatch.setattr(apply, "LATER", timedelta(seconds=0.3))


def until(holds: Callable[[], bool], registry: RunningRegistry) -> None:
    """Works as the worker does, until it holds."""
    ends = time.monotonic() + processes.PATIENCE
    while not holds():
        assert time.monotonic() < ends, list(Event.objects.values_list("action", "tag", "problem", "due_at"))
        apply.apply_due(Registry(registry.url, OwnTokens()))
        threading.Event().wait(0.02)


def settled(registry: RunningRegistry) -> None:
    """Nothing waits, and nothing is to be confirmed."""
    until(lambda: not Event.objects.exclude(due_at=None).exists(), registry)


def tags() -> dict[str, str]:
    return dict(Tag.objects.values_list("name", "manifest_id"))


def test_a_push_shows_and_is_confirmed(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: tags() == {"1.0": digest}, telling_registry)
    assert Image.objects.get().tag_count == 1
    assert TagMove.objects.get().how == TagMove.How.EVENT
    settled(telling_registry)
    assert tags() == {"1.0": digest}
    run = reconcile(Registry(telling_registry.url, OwnTokens()))
    assert run
    assert (run.changes, run.drifts.count()) == (0, 0)


def test_a_platforms_manifests_are_held_and_the_index_shows(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/multi", "latest", *images.two_platforms())
    until(lambda: tags() == {"latest": digest}, telling_registry)
    settled(telling_registry)
    assert len(Manifest.objects.get(digest=digest).platforms) == 2
    assert Revision.objects.count() == 3


def test_a_moved_tag_follows_and_a_deleted_one_goes(telling_registry: RunningRegistry) -> None:
    first = push(telling_registry, "team/app", "1.0", images.Image())
    second = push(telling_registry, "team/app", "1.0", images.Image(env=["A=1"]))
    until(lambda: tags() == {"1.0": second}, telling_registry)
    settled(telling_registry)
    delete(telling_registry, "team/app", second)
    until(lambda: tags() == {}, telling_registry)
    settled(telling_registry)
    moves = list(TagMove.objects.order_by("id").values_list("old", "new"))
    assert moves == [("", first), (first, second), (second, "")]
    assert Revision.objects.get(manifest=second).gone_at
    assert Revision.objects.get(manifest=first).gone_at is None


def test_events_lost_are_found_by_the_reconcile_and_written_down(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: len(tags()) == 1, telling_registry)
    settled(telling_registry)
    second = push(telling_registry, "team/app", "2.0", images.Image(env=["A=1"]))
    until(lambda: Event.objects.filter(tag="2.0").exists(), telling_registry)
    TagMove.objects.all().delete()
    Tag.objects.filter(name="2.0").delete()
    Event.objects.filter(tag="2.0").delete()
    run = reconcile(Registry(telling_registry.url, OwnTokens()))
    assert run
    assert list(run.drifts.values_list("tag", "new")) == [("2.0", second)]
    assert TagMove.objects.get().how == TagMove.How.FOUND


def test_events_twice_and_reversed_give_the_same_picture(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    last = push(telling_registry, "team/app", "1.0", images.Image(env=["A=1"]))
    gone = push(telling_registry, "team/app", "2.0", images.Image(env=["B=1"]))
    until(lambda: tags() == {"1.0": last, "2.0": gone}, telling_registry)
    delete(telling_registry, "team/app", gone)
    until(lambda: tags() == {"1.0": last}, telling_registry)
    settled(telling_registry)
    told = list(Event.objects.order_by("-id"))
    for number, event in enumerate(told):
        for again in ("x", "y"):
            event.pk, event.event_id, event.applied_at, event.attempts = None, f"{again}{number}", None, 0
            event.due_at = event.received_at
            event.save()
    settled(telling_registry)
    assert tags() == {"1.0": last}


def test_pulls_are_counted_for_tag_and_user_without_our_own(telling_registry: RunningRegistry) -> None:
    digest = push(telling_registry, "team/app", "1.0", images.Image())
    until(lambda: tags() == {"1.0": digest}, telling_registry)
    for _twice in range(2):
        requests.get(
            f"{telling_registry.url}/v2/team/app/manifests/1.0",
            headers=bearer("team/app", "pull", subject="wsbq5k5ysqyt") | {"Accept": MANIFEST_TYPES},
            timeout=60,
        ).raise_for_status()
    until(lambda: Pull.objects.filter(count=2).exists(), telling_registry)
    settled(telling_registry)
    pull = Pull.objects.get()
    assert (pull.tag, pull.username, pull.count, pull.digest) == ("1.0", "wsbq5k5ysqyt", 2, digest)
    tag = Tag.objects.get()
    assert (tag.pull_count, tag.last_pulled_at) == (2, pull.last_at)


def test_what_nobody_owns_becomes_known_and_is_nobodys(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "orphan/app", "1.0", images.Image())
    until(lambda: Repository.objects.filter(name="orphan/app").exists(), telling_registry)
    settled(telling_registry)
    assert Repository.objects.get().image is None
    assert tags() == {}


def test_without_a_registry_to_ask_the_event_waits(telling_registry: RunningRegistry) -> None:
    push(telling_registry, "team/app", "1.0", images.Image())
    token = leases.take(apply.LEASE, timezone.now())  # so that nothing is applied yet
    assert token is not None
    until(lambda: Event.objects.filter(tag="1.0").exists(), telling_registry)
    leases.give_back(apply.LEASE, token, timezone.now())
    telling_registry.stop()
    apply.apply_due(Registry(telling_registry.url, OwnTokens()))
    waiting = Event.objects.get(tag="1.0")
    assert "does not answer" in waiting.problem
    assert waiting.due_at
    telling_registry.restart()
    Event.objects.update(due_at=waiting.received_at)
    settled(telling_registry)
    assert list(tags()) == ["1.0"]
