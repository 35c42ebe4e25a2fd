"""One reconcile: the catalog, then every repository's tags, compared with our inventory and mended.

A run is rows: any worker may go on with it at any point, and a worker that crashes costs seconds.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common import clock
from accounts.common.database_errors import Outage, outage_of
from accounts.common.fair_share import in_turns
from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.common.prepared_queries import prepared
from accounts.principal import SYSTEM
from namespaces.names import split
from registry_sync import leases, quarantine
from registry_sync.client import NoResponse, NotInRegistry, RegistryClient, RegistryError
from registry_sync.inventory import retry_incomplete
from registry_sync.leases import LeaseHandle
from registry_sync.models import Repository, Shard, SyncRun, WorkerCrash
from registry_sync.reconcile import drift, intervals, recent_events, shards, writer
from registry_sync.reconcile.mass_delete_guard import too_many_repositories
from registry_sync.reconcile.planner import make_plan
from registry_sync.reconcile.repositories import Counts, KeepAlive, RepositoryReconciler
from registry_sync.work_units import WorkUnit

LEASE = "reconcile"
BUSY_ATTEMPTS_MAX = 3  # times that a part is tried whose statements the database breaks off
UNANSWERED_NAMESPACES_MAX = 3  # namespaces without an answer, and nothing else is asked about

log = logging.getLogger(__name__)


def reconcile(
    registry: RegistryClient, *, when_due: bool = False, wake_others: Callable[[], None] = lambda: None
) -> SyncRun | None:
    """Begin a run, or go on with the one under way, and work until nothing of it is free.

    `wake_others` is called when there is work to share.

    None while another worker reads the catalog, or when no run is due. Never raises for a bad registry.
    """
    try:
        run = begin(registry, when_due=when_due, wake_others=wake_others)
        if run and work(run, registry).state in (SyncRun.State.DONE, SyncRun.State.INCOMPLETE):
            retry_incomplete.retry_due(registry)
        return run
    finally:
        registry.close()


def begin(
    registry: RegistryClient, *, when_due: bool = False, wake_others: Callable[[], None] = lambda: None
) -> SyncRun | None:
    try:
        with leases.hold(LEASE) as lease:
            if lease is None:
                return None
            run = _resume()
            if not run:
                run = _start(registry, lease, when_due=when_due)
                if run and run.state == SyncRun.State.RUNNING:
                    wake_others()
            return run
    except leases.LeaseLost:
        log.warning("another worker took the sync over")
        return None


def is_at_work(now: datetime) -> bool:
    """Whether a worker reads the registry for a run."""
    return leases.is_held(LEASE, now) or shards.is_one_read(now)


def work(run: SyncRun, registry: RegistryClient) -> SyncRun:
    """Read the parts of a run that are free, and end the run when there is nothing left."""
    if run.state == SyncRun.State.RUNNING:
        with RepositoryReconciler(registry) as reader:
            for shard in shards.acquire_free(run):
                _read(shard, reader)
        _end(run)
        run.refresh_from_db()
    return run


def _read(shard: Shard, reader: RepositoryReconciler) -> None:
    try:
        with leases.keep_renewed(lambda: shards.renew(shard)) as renewal:
            shards.finish(shard, _read_all(shard, reader, renewal.keep_alive))
    except leases.LeaseLost:
        log.warning("another worker took %s over", shard)
    except (InterfaceError, OperationalError):
        with suppress(InterfaceError, OperationalError):
            shards.release(shard)
        raise  # whoever comes next goes on


def _read_all(shard: Shard, reader: RepositoryReconciler, alive: KeepAlive) -> Counts:
    quarantined_ids = list(quarantine.repositories(shard.repositories).values_list("pk", flat=True))
    if (
        newly_quarantined := Repository.objects.filter(pk__in=quarantined_ids)
        .exclude(problem=quarantine.PROBLEM)
        .values_list("pk", flat=True)
    ):
        writer.update_repositories(newly_quarantined, problem=quarantine.PROBLEM)
    ids = [pk for pk in shard.repositories if pk not in quarantined_ids]
    try:
        return reader.read(shard.run, ids, alive=alive).plus(Counts(repositories=len(quarantined_ids)))
    except leases.LeaseLost:
        raise
    except Exception as error:
        if _is_temporary(error, shard):
            raise
        log.exception("%s cannot be read at once; each of its repositories is read by itself", shard)
    counts = Counts(repositories=len(quarantined_ids))
    for pk in ids:
        counts = counts.plus(_read_one(shard, reader, pk, alive))
    return counts


def _read_one(shard: Shard, reader: RepositoryReconciler, pk: int, alive: KeepAlive) -> Counts:
    """One that cannot be read must not keep the others, nor the run and every run after it, from their end."""
    alive()
    try:
        return reader.read(shard.run, [pk], alive=alive)
    except leases.LeaseLost:
        raise
    except Exception as error:
        if _is_temporary(error, shard):
            raise
        row = Repository.objects.filter(pk=pk)
        log.exception("%s cannot be read", row.values_list("name", flat=True).first())
        writer.update_repositories([pk], problem=_("the panel failed; see its log"))
        return Counts(repositories=1, unreadable=1)


def _is_temporary(error: Exception, shard: Shard) -> bool:
    """No database, or a lock that somebody holds; but not what the database breaks off each time."""
    outage = outage_of(error)
    return outage is not None and (outage is not Outage.BUSY or shard.token < BUSY_ATTEMPTS_MAX)


def _resume() -> SyncRun | None:
    """Return the run under way. One without parts was left in its catalog by a worker that crashed."""
    for run in reversed(_in_state(state=SyncRun.State.RUNNING.value)):
        if run.shards.exists():
            return run
        _finish(run, SyncRun.State.FAILED, _("the worker stopped in the middle"))
    return None


@prepared
def _in_state(*, state: str) -> QuerySet[SyncRun]:
    """Return the oldest first."""
    return SyncRun.objects.filter(state=state).order_by("id")


def _start(registry: RegistryClient, lease: LeaseHandle, *, when_due: bool) -> SyncRun | None:
    now = clock.now()
    run = next(iter(_in_state(state=SyncRun.State.WAITING.value)), None)
    run = run or (_due(now) if when_due else SyncRun())
    if run is None:
        return None
    run.state, run.started_at, run.heartbeat_at = SyncRun.State.RUNNING, now, now
    run.save()
    try:
        _read_catalog(run, registry, lease)
    except RegistryError as error:
        _finish(run, SyncRun.State.FAILED, error.text)
    run.requests = registry.requests
    if run.state == SyncRun.State.RUNNING:
        shards.create_shards(run)
    run.save()
    if run.state == SyncRun.State.RUNNING and not run.repositories_total:
        _end(run)  # nothing to read: without parts, others would take it for one that was left
    return run


def _due(now: datetime) -> SyncRun | None:
    """Return a full check, or while the last one rests, a quick pass over the names."""
    last, full = next(iter(_last_ended()), None), next(iter(_last_full()), None)
    if not last or not full or now >= _next_due(full):
        return SyncRun()
    assert full.finished_at
    quick = (
        _next_due(last)
        if last != full
        else full.finished_at + timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    )
    return SyncRun(quick=True) if now >= quick else None


@prepared
def _last_ended() -> QuerySet[SyncRun]:
    return SyncRun.objects.exclude(started_at=None).exclude(finished_at=None)[:1]


@prepared
def _last_full() -> QuerySet[SyncRun]:
    return SyncRun.objects.exclude(started_at=None).exclude(finished_at=None).filter(quick=False)[:1]


def _next_due(last: SyncRun) -> datetime:
    interval = timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    return intervals.next_start(last, _last_complete(quick=last.quick), interval)


@prepared
def _last_complete(*, quick: bool) -> QuerySet[SyncRun]:
    complete = SyncRun.objects.filter(state__in=(SyncRun.State.DONE, SyncRun.State.INCOMPLETE))
    return complete.filter(quick=quick)[: intervals.RECENT_RUNS]


def _read_catalog(run: SyncRun, registry: RegistryClient, lease: LeaseHandle) -> None:
    began = clock.now()
    catalog = registry.repositories(alive=lease.keep_alive)
    seen, known = dict.fromkeys(catalog.names, ""), writer.stored_names()
    if settings.REGISTRY_IS_PULL_THROUGH_CACHE and seen and not registry.upstream_answers(seen):
        raise RegistryError(
            _("the upstream of this pull-through cache does not answer, so nothing it says is news")
        )
    if catalog.strange:
        run.problem = ngettext(
            "%(n)s name in the registry’s catalog cannot be a repository’s, so no repository was removed",
            "%(n)s names in the registry’s catalog cannot be a repository’s, so no repository was removed",
            catalog.strange,
        )
    unproven = [name for name in known if catalog.strange and name not in seen]
    changes = make_plan(known, seen, unreadable=unproven)
    vanishing = changes.mark + changes.remove
    deletions_approved = (
        run.deletions_approved or settings.REGISTRY_IS_PULL_THROUGH_CACHE
    )  # then nothing goes
    if not deletions_approved and too_many_repositories(len(changes.mark), len(known)):
        writer.reserve_unowned(changes.add)  # they are not written down yet, and nobody is to get their names
        _finish(run, SyncRun.State.NEEDS_APPROVAL, _many_repositories(len(changes.mark), len(known)))
        return
    versions = writer.versions(vanishing)
    # What was pushed meanwhile may be reported before the registry shows it.
    gone = set[str]()
    if vanishing:
        gone = _confirmed_gone(registry, vanishing, lease) - recent_events.repositories_since(began)
    not_proven_gone = unproven + [name for name in vanishing if name not in gone]  # catalogs have been wrong
    changes = make_plan(known, seen, unreadable=not_proven_gone, gone=gone)
    if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
        changes = changes.ignoring_absence()
    lease.keep_alive()
    if changes:
        writer.write_catalog(changes, clock.now(), versions)
    run.changes = len(changes.add) + len(changes.remove) + writer.assign_all()
    writer.record_catalog_read(began)


def _confirmed_gone(registry: RegistryClient, names: list[str], lease: LeaseHandle) -> set[str]:
    """Return which of the names are gone, asking for each: only a 404 that names it is the second answer."""
    gone, unanswered, quarantined, now = set[str](), set[str](), quarantine.Snapshot(), clock.now()
    owners = writer.owners(names)
    for name in in_turns(names, _namespace):
        unit = WorkUnit(owners.get(name), name)
        if (
            _namespace(name) in unanswered
            or quarantined.holds(unit)
            or (quarantined.retry_at(unit) or now) > now
        ):
            continue
        lease.set_current_work(unit.packed())
        try:
            registry.tags(name)
        except NotInRegistry:
            gone.add(name)
        except NoResponse:
            unanswered.add(_namespace(name))
            if len(unanswered) >= UNANSWERED_NAMESPACES_MAX:
                break
        except RegistryError:
            continue
        finally:
            lease.set_current_work("")
        quarantine.forget_crashes(unit, quarantined)
    return gone


def _namespace(repository: str) -> str:
    return split(repository)[0]


def _many_repositories(missing: int, known: int) -> str:
    return _(
        "%(missing)s of %(known)s repositories are no longer in the registry. None of them was removed from the panel: "
        "if the registry was replaced, wiped or restored, fix that first; otherwise an operator must approve the "
        "deletion",
        missing=missing,
        known=known,
    )


def _many_tags(missing: int) -> str:
    return ngettext(
        "%(n)s tag is no longer in the registry. It was not removed from the panel: if the registry was replaced, "
        "wiped or restored, fix that first; otherwise an operator must approve the deletion",
        "%(n)s tags are no longer in the registry. None of them was removed from the panel: if the registry was "
        "replaced, wiped or restored, fix that first; otherwise an operator must approve the deletion",
        missing,
    )


def _unreadable(repositories: int) -> str:
    """Without their names: everybody is told of a run. Each repository says why, for operators."""
    return ngettext(
        "%(n)s repository, or some of its tags, could not be read (System, Repositories)",
        "%(n)s repositories, or some of their tags, could not be read (System, Repositories)",
        repositories,
    )


def _end(run: SyncRun) -> None:
    if run.shards.filter(done_at=None).exists():
        return  # another worker has them, or will take them when their lease is over
    run.refresh_from_db()
    approval = _many_tags(run.tags_needing_approval) if run.tags_needing_approval else ""
    unreadable = _unreadable(run.unreadable) if run.unreadable else ""
    # What ails some repositories, or is held of them, is said of those (selectors.py);
    # a run is incomplete for what ails the registry.
    whole = not run.problem and (not run.unreadable or run.unreadable < run.repositories_total)
    state = SyncRun.State.DONE if whole else SyncRun.State.INCOMPLETE
    _finish(run, state, joined([run.problem, approval, unreadable], _("%(first)s; %(next)s")))


def _report_rollback(run: SyncRun) -> None:
    if not (tags := drift.rolled_back_tags(run)):
        return
    log.error("the registry was rolled back: %s tags are back at what they had left (%s)", tags, run)
    audit.record(
        by=SYSTEM,
        action=AuditAction.SYNC_ROLLED_BACK,
        kind="sync run",
        id=run.pk,
        label=settings.REGISTRY_URL,
        after={"tags": tags},
    )


def _finish(run: SyncRun, state: SyncRun.State, problem: str) -> None:
    """Once, whoever comes second."""
    now = clock.now()
    values: Mapping[str, object] = {
        "state": state,
        "problem": problem,
        "finished_at": now,
        "heartbeat_at": now,
    }
    with transaction.atomic():
        mine = SyncRun.objects.filter(Q(pk=run.pk), state=SyncRun.State.RUNNING).update(**values)
        if mine:
            # It is known by now of what, or that it was chance.
            WorkerCrash.objects.filter(repository="", item="").delete()
            Shard.objects.filter(run=run).delete()
            _report_rollback(run)
    for name, value in values.items():
        setattr(run, name, value)
