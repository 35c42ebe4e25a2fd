"""The list of what no event reported: each difference that a run found and corrected."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import dropped_entries
from accounts.common.batches import batches
from accounts.models import DropCounter
from namespaces.models import TagHistoryEntry
from namespaces.names import split
from registry_sync.client import RepositoryTags
from registry_sync.freshness import ROLLBACK_TAGS_MIN
from registry_sync.leases import fenced
from registry_sync.models import Drift, Event, Marker, SyncRun
from registry_sync.reconcile.planner import Plan
from registry_sync.reconcile.writer import StoredRepository

LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class EventHistory:
    """Whether events come at all, and when the last full check before a run began, if there was one."""

    events_come: bool
    last_check: datetime | None

    @classmethod
    def before(cls, run: SyncRun) -> Self:
        full = SyncRun.objects.filter(quick=False, state=SyncRun.State.DONE, finished_at__isnull=False)
        last = full.filter(pk__lt=run.pk).first()
        events_come = Marker.objects.filter(name=Marker.EVENTS).exists()
        return cls(events_come, last.started_at if last else None)

    def should_have_told(self, known: StoredRepository) -> bool:
        """Return False for what an operator brought in: it was there before events came."""
        return self.events_come and bool(known.version or self._is_new(known))

    def _is_new(self, known: StoredRepository) -> bool:
        """Return True for a repository read for the first time because it was not there at the last full check."""
        return self.last_check is not None and known.first_seen_at > self.last_check


def record(
    run: SyncRun, read: RepositoryTags, known: StoredRepository, changes: Plan, *, events: EventHistory
) -> None:
    """Only of what an event should have told."""
    tags = changes.add + changes.move + changes.remove
    if not tags or not events.should_have_told(known):
        return
    pending = _pending_events(read.repository)
    tags = [
        tag
        for tag in tags
        if tag not in pending and (tag in read.digests or known.digest(tag) not in pending)
    ]
    returned = _returned_tags(known, {tag: read.digests[tag] for tag in tags if tag in read.digests})
    tags.sort(key=lambda tag: tag not in returned)  # what says most is kept first
    room = _room_left(run, read.repository)
    if len(tags) > room:
        dropped_entries.note(DropCounter.Kind.DIFFERENCES, {"": len(tags) - room}, timezone.now())
    Drift.objects.bulk_create(
        Drift(
            run=run,
            repository=read.repository,
            tag=tag,
            new=read.digests.get(tag, ""),
            old=known.digest(tag),
            rolled_back=tag in returned,
        )
        for tag in tags[:room]
    )


def rolled_back_tags(run: SyncRun) -> int:
    """Return how many tags it found back at what they had left, where so many are that the registry was rolled back.

    As one that is restored from a backup. Else 0.
    """
    count = run.drifts.filter(rolled_back=True).count()
    return count if count >= ROLLBACK_TAGS_MIN else 0


def _returned_tags(known: StoredRepository, digests: dict[str, str]) -> set[str]:
    """Of tags and what they point at now, those whose history had left just that."""
    found = set[str]()
    for batch in batches(sorted(digests)):
        moves = TagHistoryEntry.objects.filter(image__repository_row=known.pk, tag__in=batch)
        found |= {tag for tag, old in moves.values_list("tag", "old").distinct() if old == digests[tag]}
    return found


def _room_left(run: SyncRun, repository: str) -> int:
    left = settings.DRIFT_KEPT_PER_RUN - run.drifts.count()
    if left >= settings.DRIFT_KEPT_PER_NAMESPACE:
        return left
    namespace = split(repository)[0]
    mine = Q(repository=namespace) | Q(repository__startswith=f"{namespace}/")
    return max(left, settings.DRIFT_KEPT_PER_NAMESPACE - run.drifts.filter(mine).count(), 0)


def _pending_events(repository: str) -> set[str]:
    """Tags, and digests that are said to be deleted, of events that are to be applied or confirmed yet."""
    waiting = Event.objects.filter(repository=repository, due_at__isnull=False).exclude(action="pull")
    return {tag or digest for tag, digest in waiting.values_list("tag", "digest")}


def explain(repository: str, tag: str, digest: str) -> None:
    """Explain a difference by an event that came after the run it should have preceded: late, and nothing was lost."""
    explain_all({(repository, tag, digest)})


@transaction.atomic
@fenced
def explain_all(reported: Collection[tuple[str, str, str]]) -> None:
    """Explain several: (repository, tag, digest)."""
    rows = Drift.objects.filter(
        repository__in={repository for repository, _tag, _digest in reported},
        tag__in={tag for _repository, tag, _digest in reported},
        found_at__gte=timezone.now() - LATE,
    )
    found = rows.values_list("pk", "repository", "tag", "new")
    if explained := [pk for pk, *difference in found if tuple(difference) in reported]:
        Drift.objects.filter(pk__in=explained).delete()
