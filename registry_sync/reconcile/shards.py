"""The parts of a run: made once, taken by whoever is free, resumed by another when their holder crashed.

A part whose reader crashed is read again in smaller ones, so that it shows on which repository workers crash.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, When

from accounts.common import clock
from accounts.common.fair_share import in_turns
from registry_sync import quarantine
from registry_sync.leases import LIFETIME, fenced, free_at, limit_idle_time, take_if_free, update_if_held
from registry_sync.models import Repository, Shard, SyncRun, WorkerCrash
from registry_sync.reconcile.repositories import Counts
from registry_sync.work_units import WorkUnit

PIECES = 10  # into which a part is cut whose reader crashed
NUMBERS_PER_CRASH = 1000  # of the pieces of one crash


@transaction.atomic
@fenced
def create_shards(run: SyncRun) -> None:
    """Make the parts of every repository that belongs to an image, in turns of the accounts.

    Of each those with trouble first, unless that is so each time, then those that people look at.
    """
    rows = Repository.objects.filter(missing_since=None).exclude(image=None)
    again = Case(When(failures__gt=0, failures__lt=Repository.FAILURES_MAX, then=0), default=1)
    ordered = rows.order_by(again, F("last_viewed_at").desc(nulls_last=True), "id")
    owned = ordered.values_list("id", "image__namespace__account_id")
    ids = [pk for pk, _account in in_turns(owned.iterator(), lambda row: row[1])]
    parts = _chunks(ids, settings.SYNC_SHARD_SIZE)
    Shard.objects.bulk_create([Shard(run=run, number=n, repositories=part) for n, part in enumerate(parts)])
    run.repositories_total = len(ids)


def acquire_free(run: SyncRun) -> Iterator[Shard]:
    """Take one part after the other until none is free; each is the caller's for LIFETIME."""
    while shard := _acquire(run):
        yield shard


def is_one_read(now: datetime) -> bool:
    return Shard.objects.filter(done_at=None).exclude(free_at(now, "lease_until")).exists()


def renew(shard: Shard) -> None:
    """Renew the lease on the part. Raise LeaseLost."""
    update_if_held(_same(shard), lease_until=clock.now() + LIFETIME)


def release(shard: Shard) -> None:
    """For the next one, who is not to think that we crashed. Nothing when another has it."""
    _same(shard).update(lease_until=None)


@transaction.atomic
def finish(shard: Shard, counts: Counts) -> None:
    """Finish the part. Raise LeaseLost, and then count nothing."""
    now = clock.now()
    update_if_held(_same(shard), done_at=now, lease_until=None)
    if shard.crash_id and not Shard.objects.filter(crash=shard.crash_id, done_at=None).exists():
        WorkerCrash.objects.filter(pk=shard.crash_id).delete()  # all that he was at could be read
    if shard.token > 1 and len(shard.repositories) == 1:
        names = Repository.objects.filter(pk__in=shard.repositories).values("name")
        WorkerCrash.objects.filter(repository__in=names, item="").delete()
    SyncRun.objects.filter(pk=shard.run_id).update(
        repositories_done=F("repositories_done") + counts.repositories,
        requests=F("requests") + counts.requests,
        changes=F("changes") + counts.changes,
        unreadable=F("unreadable") + counts.unreadable,
        tags_needing_approval=F("tags_needing_approval") + counts.tags_needing_approval,
        heartbeat_at=now,
    )


def _acquire(run: SyncRun) -> Shard | None:
    now = clock.now()
    left = Shard.objects.filter(run=run, done_at=None).filter(free_at(now, "lease_until"))
    if not left.exists():
        return None
    held = Shard.objects.filter(done_at=None).exclude(free_at(now, "lease_until"))
    if held.count() >= settings.SYNC_CONCURRENCY:
        return None  # so that a long run leaves workers for events
    for shard in left.exclude(lease_until=None):
        _split_after_crash(shard, now)
    # The pieces of the last crash first: it is soon known on what, or that it was chance.
    for shard in left.order_by(F("crash").desc(nulls_last=True), "token", "number")[:20]:
        if take_if_free(_same(shard), now, column="lease_until"):
            shard.token += 1
            shard.run = run
            return shard
    return None


@transaction.atomic
def _split_after_crash(shard: Shard, now: datetime) -> None:
    """Its reader crashed. Each piece is one account's, and smaller; one repository stays as it is."""
    limit_idle_time()
    if not take_if_free(_same(shard), now, column="lease_until", lease_until=None):
        return
    names = dict(Repository.objects.filter(pk__in=shard.repositories).values_list("pk", "name"))
    owned = Repository.objects.filter(pk__in=shard.repositories, image__isnull=False)
    ids_by_account: dict[int, list[int]] = defaultdict(list)
    for pk, owner in owned.values_list("pk", "image__namespace__account_id"):
        ids_by_account[owner].append(pk)
    only = names.get(shard.repositories[0], "") if len(shard.repositories) == 1 else ""
    account = next(iter(ids_by_account)) if len(ids_by_account) == 1 else None
    recorded = quarantine.record_crash(WorkUnit(account, only), now)
    # None: the account is quarantined, and its crashes are forgotten.
    crash = WorkerCrash.objects.filter(pk=recorded.pk).first()
    if len(shard.repositories) <= 1:
        return
    pieces = (
        list(ids_by_account.values())
        if len(ids_by_account) > 1
        else _chunks(shard.repositories, -(-len(shard.repositories) // PIECES))
    )
    Shard.objects.bulk_create(
        Shard(
            run_id=shard.run_id,
            number=NUMBERS_PER_CRASH * (1000 + recorded.pk) + n,
            repositories=part,
            crash=crash,
        )
        for n, part in enumerate(pieces)
    )
    Shard.objects.filter(pk=shard.pk).delete()


def _chunks(ids: list[int], size: int) -> list[list[int]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def _same(shard: Shard) -> QuerySet[Shard]:
    """Empty when another took or finished it since it was read."""
    return Shard.objects.filter(pk=shard.pk, token=shard.token, done_at=None)
