"""The ledger of what no event told: a difference that a run found and mended."""

from datetime import timedelta

from django.utils import timezone

from registry_sync.client import TagsRead
from registry_sync.models import Drift, Event, Heartbeat, SyncRun
from registry_sync.sync.apply import Known
from registry_sync.sync.planner import Plan

KEPT_OF_A_RUN = 1000
LATE = timedelta(minutes=10)


def record(run: SyncRun, read: TagsRead, known: Known, changes: Plan) -> None:
    """Only where events come at all, and not of a repository that is read for the first time."""
    tags = changes.add + changes.move + changes.remove
    if not tags or not known.version or not Heartbeat.objects.filter(name=Heartbeat.EVENTS).exists():
        return
    waiting = Event.objects.filter(repository=read.repository, due_at__isnull=False)
    if waiting.exclude(action="pull").exists():
        return  # about to be told, or to be confirmed
    room = max(KEPT_OF_A_RUN - run.drifts.count(), 0)
    Drift.objects.bulk_create(
        Drift(
            run=run, repository=read.repository, tag=tag, new=read.digests.get(tag, ""),
            old=known.digest(tag),
        )
        for tag in tags[:room]
    )  # fmt: skip


def explain(repository: str, tag: str, digest: str) -> None:
    """An event that came after the run it should have come before: it was late, and nothing was lost."""
    since = timezone.now() - LATE
    Drift.objects.filter(repository=repository, tag=tag, new=digest, found_at__gte=since).delete()
