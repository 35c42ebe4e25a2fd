"""Reads some repositories from the registry, compares each with the inventory, and mends it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.common import clock
from accounts.common.batches import batches
from accounts.common.fair_share import in_turns
from accounts.common.lazy_text import lazy as _
from namespaces.names import split
from registry_sync import leases
from registry_sync.client import RegistryClient, RepositoryTags
from registry_sync.inventory import placeholders
from registry_sync.inventory.fetcher import ManifestReader, ManifestRef
from registry_sync.inventory.stored import complete_digests, fully_read, present
from registry_sync.inventory.writer import store_reading
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile import drift, mass_delete_guard, recent_events, writer
from registry_sync.reconcile.planner import Plan

KeepAlive = Callable[[], None]


@dataclass(slots=True)
class Counts:
    repositories: int = 0
    requests: int = 0
    changes: int = 0
    unreadable: int = 0  # repositories that could not be read, or not all of them
    tags_needing_approval: int = 0  # tags that would have vanished

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


class RepositoryReconciler:
    """A context manager over one registry, for as many reads as are wanted."""

    def __init__(self, registry: RegistryClient) -> None:
        self.registry = registry
        self.crawler = registry.crawler()

    def __enter__(self) -> Self:
        self.crawler.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.crawler.__exit__(*error)

    def read(self, run: SyncRun, ids: Iterable[int], *, alive: KeepAlive) -> Counts:
        """`alive` keeps the caller's lease; what it raises ends the reading, and nothing more is written."""
        before = self.registry.requests + self.crawler.requests
        alive = leases.rate_limited(alive)
        names = list(Repository.objects.filter(id__in=list(ids)).values_list("name", flat=True))
        counts, began = Counts(repositories=len(names)), clock.now()
        known = writer.stored_repositories(names)
        given_up = {name for name, each in known.items() if each.failures == Repository.FAILURES_MAX}
        reads = self.crawler.read_tags(_digests(known), quick=run.quick, no_retry=given_up, alive=alive)
        with ManifestReader(self.registry, alive=alive) as content:
            _store_new_manifests([read for read in reads if not read.problem], known, content)
        changes = {read.repository: writer.plan_changes(read, known[read.repository]) for read in reads}
        newer = recent_events.tags_since(began, [name for name, each in changes.items() if each])
        changes = {name: each.without(newer[name]) for name, each in changes.items()}
        needing_approval: Mapping[str, int] = {}
        if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
            changes = {name: each.ignoring_absence() for name, each in changes.items()}
        elif not run.deletions_approved:
            needing_approval = _tags_needing_approval(run, changes, known)
            changes |= {
                name: changes[name].marking_instead_of_removing(known[name].tags) for name in needing_approval
            }
        counts.tags_needing_approval = sum(needing_approval.values())
        for read in reads:
            alive()
            writer.record_tags_needing_approval(
                read, known[read.repository], needing_approval.get(read.repository, 0)
            )
            writer.record_problem(read, known[read.repository], timezone.now(), quick=run.quick)
            counts.unreadable += bool(read.problem or read.unreached)
        counts.changes += _write(
            run,
            [
                writer.Difference(read, known[read.repository], changes[read.repository])
                for read in reads
                if changes[read.repository]
            ],
            alive,
        )
        if self.crawler.away:
            words = _("the registry no longer answers")
            SyncRun.objects.filter(pk=run.pk, problem="").update(problem=words)
        counts.requests = self.registry.requests + self.crawler.requests - before
        return counts


def _write(run: SyncRun, differences: list[writer.Difference], alive: KeepAlive) -> int:
    """Return how many changes were made."""
    changed, events = 0, drift.EventHistory.before(run) if differences else None
    waiting = list(writer.together(differences))
    while waiting and events:
        alive()
        batch = waiting.pop(0)
        with transaction.atomic():  # what was corrected, and that no event had reported it
            written = writer.write_changes(batch, clock.now())
            for each in written:
                drift.record(run, each.read, each.known, each.changes, events=events)
        changed += sum(len(each.changes) for each in written)
        if len(batch) > 1:  # who waits for a lock does it without holding others
            done = {each.known.pk for each in written}
            waiting += [[each] for each in batch if each.known.pk not in done]
    return changed


def _tags_needing_approval(
    run: SyncRun, changes: Mapping[str, Plan], known: Mapping[str, writer.StoredRepository]
) -> dict[str, int]:
    """Repository → how many tags would vanish there, where so many would that it is for an operator to say."""
    losses = {
        name: mass_delete_guard.RepositoryLoss(known[name].account, len(plan.remove), len(known[name].tags))
        for name, plan in changes.items()
    }
    losing = {loss.account for loss in losses.values() if loss.vanishing}
    before = writer.lost_tags(run, losing, beside=list(losses)) if losing else {}
    return {name: losses[name].vanishing for name in mass_delete_guard.needing_approval(losses, before)}


def _store_new_manifests(
    reads: list[RepositoryTags], known: Mapping[str, writer.StoredRepository], content: ManifestReader
) -> None:
    """Fetch and store them. What cannot be fetched leaves its tags unreadable: they stay as they are."""
    wanted = {
        ManifestRef(read.repository, digest): None
        for read in reads
        for tag, digest in read.digests.items()
        if digest != known[read.repository].digest(tag)  # a tag's manifest is stored
    }
    stored = fully_read(wanted)
    placeholder_digests = placeholders.among({ref.digest for ref in wanted.keys() - stored})
    fetched = {
        ManifestRef(read.repository, digest): manifest
        for read in reads
        for digest, manifest in read.fetched.items()
    }
    unstored = [ref for ref in wanted if ref not in stored and ref.digest not in placeholder_digests]
    for batch in batches(in_turns(unstored, lambda ref: split(ref.repository)[0])):
        available = {ref: fetched[ref] for ref in batch if ref in fetched}
        available |= content.fetch(ref for ref in batch if ref not in available)
        stored |= store_reading(
            content.read_manifests(available, present=present, complete=complete_digests), available
        )
    lost = wanted.keys() - stored
    if lost:
        for read in reads:
            _leave_unreadable(read, known[read.repository], lost, placeholder_digests)


def _digests(known: Mapping[str, writer.StoredRepository]) -> dict[str, dict[str, str]]:
    """Return the digests that need not be asked for again, and "" for those that must.

    Of a tag that could not be read last time the digest may be an old one, and one that is missing may be listed by
    mistake, so they are asked for in every run.
    """
    return {
        name: {
            tag: "" if row.unreadable or row.missing else row.digest for tag, row in repository.tags.items()
        }
        for name, repository in known.items()
    }


def _leave_unreadable(
    read: RepositoryTags,
    known: writer.StoredRepository,
    lost: Collection[ManifestRef],
    placeholder_digests: Collection[str],
) -> None:
    """Tags without their manifest stay as they were; one with a placeholder under it until its removal is done."""
    for tag in [tag for tag, digest in read.digests.items() if ManifestRef(read.repository, digest) in lost]:
        if read.digests.pop(tag) not in placeholder_digests:
            read.unreadable[tag] = "its manifest did not come"
            read.unreached += 1
        elif tag in known.tags:
            read.digests[tag] = known.digest(tag)
