"""Leases are short and renewed; one that is lost, or void, keeps nobody waiting, and nothing late is written."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core import serializers
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from manager import bounds
from namespaces.models import Image, Tag, TagHistoryEntry
from registry_sync import leases
from registry_sync.client import RepositoryTags
from registry_sync.inventory import late_history
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import count_untagged, write_tag_changes
from registry_sync.models import Drift, Lease, Repository, Shard, SyncRun
from registry_sync.reconcile import drift, shards, writer
from registry_sync.reconcile.repositories import Counts
from tests import factories

pytestmark = pytest.mark.django_db
PATIENCE = 120
QUICK = 0.001


class Kept:
    """Counts how often a lease is kept; with `lost`, it is another's by now."""

    def __init__(self, *, lost: bool = False) -> None:
        self.lost = lost
        self.times = 0
        self.twice = threading.Event()

    def __call__(self) -> None:
        self.times += 1
        if self.times > 1:
            self.twice.set()
        if self.lost:
            raise leases.LeaseLost


def test_a_dead_workers_lease_is_over_within_five_seconds_and_somebody_comes() -> None:
    looked = current_app.conf.beat_schedule["events"]["schedule"]
    assert leases.LIFETIME.total_seconds() + looked < 5
    assert leases.LIFETIME.total_seconds() > leases.RENEW_SECONDS * 3


def test_a_thread_keeps_it_while_its_holder_works_and_not_longer() -> None:
    keep = Kept()
    with leases.keep_renewed(keep, every=QUICK):
        assert keep.twice.wait(PATIENCE)
    times = keep.times
    assert not any(each.name == "lease" for each in threading.enumerate())
    assert keep.times == times


def test_one_who_hangs_is_renewed_no_longer() -> None:
    keep = Kept()
    with leases.keep_renewed(keep, every=QUICK, hung=0.0) as renewal:
        renewal._thread.join(PATIENCE)
        assert not renewal._thread.is_alive()
    assert keep.times == 0


def test_a_thread_that_finds_a_successor_ends() -> None:
    keep = Kept(lost=True)
    with leases.keep_renewed(keep, every=QUICK) as renewal:
        renewal._thread.join(PATIENCE)
        assert not renewal._thread.is_alive()
    assert keep.times == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(hours=1)])
def test_a_lease_further_ahead_than_its_life_is_void(ahead: timedelta) -> None:
    """A clock that went back wrote it."""
    now = timezone.now()
    run = SyncRun.objects.create(state="running", started_at=now)
    Shard.objects.create(run=run, number=0, lease_until=now + ahead, token=1)
    assert leases.acquire("it", now + ahead)
    assert leases.acquire("it", now)
    assert leases.acquire("it", now) is None
    assert next(shards.acquire_free(run))
    assert list(shards.acquire_free(run)) == []


def test_who_lost_its_lease_writes_nothing() -> None:
    image: Image = factories.ImageFactory()
    manifest = factories.ManifestFactory()
    move = TagChange("1.0", manifest.digest, timezone.now())

    def write() -> Any:
        return write_tag_changes(image, [move], how=TagHistoryEntry.How.EVENT)

    with leases.hold("it") as lease:
        assert lease
        Lease.objects.update(token=F("token") + 1)
        with pytest.raises(leases.LeaseLost), transaction.atomic():
            write()
    assert not image.tags.exists()
    with leases.hold("another"):
        assert write() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's locks end with the process alone.")
def test_no_transaction_that_locks_a_lease_stands_idle_for_long(settings: Any) -> None:
    """Its process may be stopped in it, with the lock."""
    settings.LEASE_IDLE_SECONDS = bounds.LEASE_IDLE_SECONDS
    shard = Shard.objects.create(run=SyncRun.objects.create(), number=0, token=1)

    def idle() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return str(cursor.fetchone()[0])

    with leases.hold("it") as lease:
        assert lease
        locks: list[Callable[[], object]] = [
            lease.keep_alive,
            lambda: lease.set_current_work(""),
            leases.fence,
            lambda: leases.acquire("another", timezone.now()),
            lambda: shards.renew(shard),
            lambda: shards.finish(shard, Counts()),
        ]
        for lock in locks:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            with transaction.atomic():
                lock()
                assert idle() == "3s"


LATE: dict[str, Callable[[Image], object]] = {
    "history": lambda image: late_history.record_change(
        image, TagChange("1.0", "", timezone.now(), "somebody")
    ),
    "trouble": lambda image: writer.record_problem(
        RepositoryTags(image.repository, problem="gone"), known(image), timezone.now(), quick=False
    ),
    "unread": lambda image: writer.record_problem(
        RepositoryTags(image.repository, unreadable={"1.0": "500"}), known(image), timezone.now(), quick=False
    ),
    "held": lambda image: writer.record_tags_needing_approval(
        RepositoryTags(image.repository), known(image), 1
    ),
    "differences": lambda image: drift.explain(image.repository, "1.0", ""),
    "untagged": count_untagged,
}


@pytest.mark.parametrize("what", LATE)
def test_nor_what_it_says_beside_the_tags(what: str) -> None:
    tag = factories.TagFactory(image__namespace__name="team", name="1.0")
    repository = Repository.objects.create(name=tag.image.repository, image=tag.image)
    run = SyncRun.objects.create()
    Drift.objects.create(run=run, repository=repository.name, tag="1.0")

    def rows() -> str:
        models = (Image, Tag, TagHistoryEntry, Repository, Drift)
        return serializers.serialize(
            "json", [row for model in models for row in model.objects.order_by("pk")]
        )

    before = rows()
    with leases.hold("it") as lease:
        assert lease
        Lease.objects.update(token=F("token") + 1)
        with pytest.raises(leases.LeaseLost), transaction.atomic():
            LATE[what](tag.image)
    assert rows() == before
    with leases.hold("another"):
        LATE[what](tag.image)
    assert (rows() == before) is (what == "untagged")  # which has a tag, and so nothing to count


def known(image: Image) -> writer.StoredRepository:
    (found,) = writer.stored_repositories([image.repository]).values()
    return found


def test_who_holds_no_lease_is_not_fenced() -> None:
    leases.fence()
