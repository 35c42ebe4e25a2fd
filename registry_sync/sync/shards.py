"""The parts of a run: made once, taken by whoever is free, resumed by another when their holder died."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from accounts.shares import in_turns
from registry_sync.models import Repository, Shard, SyncRun
from registry_sync.sync.leases import LeaseLost
from registry_sync.sync.repositories import Counts

SIZE = 200  # repositories
LIFE = timedelta(seconds=60)


def make(run: SyncRun) -> None:
    """Every repository that belongs to an image, in turns of the accounts: of each those with trouble first, unless
    that is so each time, then those that people look at."""
    rows = Repository.objects.filter(missing_since=None).exclude(image=None)
    again = Case(When(failures__gt=0, failures__lt=Repository.FAILURES_MAX, then=0), default=1)
    ordered = rows.order_by(again, F("looked_at").desc(nulls_last=True), "id")
    owned = ordered.values_list("id", "image__namespace__account_id")
    ids = [pk for pk, _account in in_turns(owned.iterator(), lambda row: row[1])]
    parts = (ids[start : start + SIZE] for start in range(0, len(ids), SIZE))
    Shard.objects.bulk_create([Shard(run=run, number=n, repositories=part) for n, part in enumerate(parts)])
    run.repositories_total = len(ids)


def free(run: SyncRun) -> Iterator[Shard]:
    """Takes one part after the other until none is free; each is the caller's for LIFE."""
    while shard := _take(run):
        yield shard


def alive(shard: Shard) -> None:
    """Raises LeaseLost."""
    if not _held(shard).update(lease_until=timezone.now() + LIFE):
        raise LeaseLost(str(shard))


@transaction.atomic
def finish(shard: Shard, counts: Counts) -> None:
    """Raises LeaseLost, and then counts nothing."""
    if not _held(shard).update(done_at=timezone.now(), lease_until=None):
        raise LeaseLost(str(shard))
    SyncRun.objects.filter(pk=shard.run_id).update(
        repositories_done=F("repositories_done") + counts.repositories,
        requests=F("requests") + counts.requests,
        changes=F("changes") + counts.changes,
        unread=F("unread") + counts.unread,
        held=F("held") + counts.held,
        heartbeat_at=timezone.now(),
    )


def _take(run: SyncRun) -> Shard | None:
    now = timezone.now()
    if Shard.objects.filter(done_at=None, lease_until__gt=now).count() >= settings.SYNC_WORKERS:
        return None  # so that a long run leaves workers for what the registry tells
    left = Shard.objects.filter(run=run, done_at=None).filter(_free(now))
    for shard in left.order_by("number")[:20]:
        taken = Shard.objects.filter(pk=shard.pk, token=shard.token, done_at=None).filter(_free(now))
        if taken.update(token=F("token") + 1, lease_until=now + LIFE):
            shard.token += 1
            return shard
    return None


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def _held(shard: Shard) -> QuerySet[Shard]:
    return Shard.objects.filter(pk=shard.pk, token=shard.token, done_at=None)
