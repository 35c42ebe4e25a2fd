"""What the worker does, when beat or a person says so. Each task may come twice, late or never: all is in the rows."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from celery import shared_task
from celery.signals import task_prerun, worker_ready
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q, QuerySet

from accounts import (
    access_denials,
    audit_chain,
    dropped_entries,
    outbox,
    refused_id_tokens,
    security_events,
    session_store,
)
from accounts.common import clock, sqlite_wal
from accounts.common.database_errors import first_line, outage_of
from accounts.id_tokens import key_refresh
from accounts.services import group_memberships, invitations, swapped_passwords
from namespaces import expiry_mail, usage
from namespaces.ledger import forgetting as ledger_forgetting
from namespaces.models import Manifest, RepositoryManifest, TagHistoryEntry
from namespaces.webhooks import delivery, denied_bursts, expiring
from registry_sync import (
    clocks,
    heartbeats,
    jobs,
    leases,
    panel_client,
    quarantine,
    registry_probe,
    selectors,
    shared_keys,
)
from registry_sync.deletion import purge_worker
from registry_sync.deletion.worker import LEASE_PREFIX, work_due
from registry_sync.doctor import diagnostic_runs
from registry_sync.events import processor
from registry_sync.events.processor import process_due
from registry_sync.inventory import manifest_weights, uncollected
from registry_sync.models import (
    DiagnosticRun,
    Drift,
    Event,
    Lease,
    Marker,
    Purge,
    Removal,
    RetentionRun,
    SyncRun,
)
from registry_sync.reclaim import runs as reclaims
from registry_sync.reconcile.run import reconcile as run_reconcile
from registry_sync.retention import run_result, runs

log = logging.getLogger(__name__)

APPROVAL_RUNS_KEPT = timedelta(hours=1)  # somebody may be about to agree to just that one
EVENTS_KEPT = timedelta(days=7)
DIFFERENCES_KEPT = timedelta(days=30)
ALIVE = timedelta(seconds=10)
REMOVALS_KEPT = timedelta(days=365)
REST = 10  # times as long as the count of bytes took, until the next one
COUNT_MAX = timedelta(minutes=10)  # until then nobody else begins one; no task lives longer
SOON = timedelta(seconds=5)  # what is due later is left to beat
_delivering = threading.Lock()  # by one thread of a process


def _task(*, name: str, **options: Any) -> Callable[[Callable[[], None]], Any]:
    """Declare a Celery task that says in one line when there is no database; beat comes again."""

    def declare(work: Callable[[], None]) -> Any:
        @shared_task(name=name, **options)
        @wraps(work)
        def task(**_later: Any) -> None:
            try:
                work()
            except (DatabaseError, InterfaceError) as error:
                if not outage_of(error):
                    raise
                log.warning("%s: the database fails (%s)", name, first_line(error))

        return task

    return declare


@worker_ready.connect
@task_prerun.connect
def _worker_lives(**_details: Any) -> None:
    with suppress(DatabaseError, InterfaceError):  # the task itself will say so
        now = clock.now()
        clocks.jumped_ahead(now)
        clocks.repair_after_setback(now)
        heartbeats.note(Marker.WORKER, now, every=ALIVE)


@worker_ready.connect
def _first_look(**_details: Any) -> None:
    """When a run is due: until the first one has read the registry's list, no namespace can be made."""
    jobs.wake_worker()


@_task(name="registry_sync.pulse")
def pulse() -> None:
    """Sent by the schedule, and dropped when it comes late: an idle worker proves by it that it lives."""
    shared_keys.note(clock.now())
    registry = panel_client.registry_client()
    try:
        registry_probe.probe(registry, clock.now())
    finally:
        registry.close()
    diagnostic_runs.run_waiting()


@_task(name="registry_sync.doctor")
def doctor() -> None:
    diagnostic_runs.run_waiting()


# One image may have so many tags that reading them takes an hour; leases guard against one that hangs.
@_task(name="registry_sync.reconcile", time_limit=6 * 3600)
def reconcile() -> None:
    """Several of these share one run, each reading parts of it."""
    if reclaims.is_under_way(clock.now()):
        return  # the registry restarts, or is about to; what is due is due afterwards
    run = run_reconcile(panel_client.registry_client(), when_due=True, wake_others=wake_others)
    if run and run.finished_at and SyncRun.objects.filter(state=SyncRun.State.WAITING).exists():
        jobs.wake_worker()


def wake_others() -> None:
    for _each in range(settings.SYNC_CONCURRENCY - 1):
        jobs.wake_worker()


@_task(name="registry_sync.apply_events")
def apply_events() -> None:
    """Comes when events come, when the first of them is to be confirmed, and from beat in case both were lost."""
    registry = panel_client.registry_client()
    try:
        wait = process_due(registry)
    finally:
        registry.close()
    _reschedule(apply_events, wait)


@_task(name="registry_sync.removals")
def removals() -> None:
    """Comes when somebody asks, when the registry is to be tried again, and from beat in case that was lost."""
    if reclaims.is_under_way(clock.now()):
        return  # the registry would refuse them, and they would fail
    registry = panel_client.registry_client()
    try:
        runs.plan_due()
        purge_worker.work_due()
        run_result.finish_completed()  # what a worker that crashed had left
        wait = work_due(registry, after_run=run_result.finish_completed)
    finally:
        registry.close()
    _reschedule(removals, wait)


def _reschedule(task: Any, wait: timedelta | None) -> None:
    """Come back for what is due soon.

    One message at a time: each that came would else send the next, and each event adds one.
    """
    now = clock.now()
    if wait is not None and wait < SOON and heartbeats.reserve(task.name, now, now + wait):
        jobs.publish(task.name, countdown=wait.total_seconds() + 0.05)


@_task(name="registry_sync.measure_usage")
def measure_usage() -> None:
    """Count when something came or went, and once an hour in any case; after a long count it rests longer.

    When something came is said by the clocks of workers and registries: the minute before a count is looked at again.
    """
    now = clock.now()
    if not _usage_changed(now) or not heartbeats.reserve(Marker.USAGE_REST, now, now + COUNT_MAX):
        return
    try:
        manifest_weights.weigh()
        uncollected.forget_returned()
        usage.measure(usage.today())
        heartbeats.note(Marker.USAGE, now)
    finally:  # also after one that the database broke off: it would break off the next as well
        done = clock.now()
        Marker.objects.filter(name=Marker.USAGE_REST).update(at=done + REST * (done - now))


def _usage_changed(now: datetime) -> bool:
    last = heartbeats.last(Marker.USAGE)
    if last is None or now - last >= timedelta(hours=1):
        return True
    newest = (
        RepositoryManifest.objects.order_by("-id").values_list("first_seen_at", flat=True).first(),
        TagHistoryEntry.objects.order_by("-id").values_list("at", flat=True).first(),
        RepositoryManifest.objects.exclude(gone_at=None)
        .order_by("-gone_at")
        .values_list("gone_at", flat=True)
        .first(),
    )
    return (
        any(at and at > last - clock.APART for at in newest)
        or Manifest.objects.filter(body_bytes=None).exists()
    )


def _forget_events(before: datetime) -> None:
    """Delete some at a time: millions in one statement would pass the database's time limit, every time."""
    while ids := list(
        Event.objects.filter(due_at=None, received_at__lt=before).values_list("id", flat=True)[:5000]
    ):
        Event.objects.filter(id__in=ids).delete()


def _forget_runs(runs: QuerySet[SyncRun]) -> None:
    oldest = (
        runs.order_by("-id")
        .values_list("id", flat=True)[settings.SYNC_RUNS_KEPT : settings.SYNC_RUNS_KEPT + 1]
        .first()
    )
    if oldest:
        # One that found what no event reported stays longer: it is the proof.
        recent_drift = Drift.objects.filter(found_at__gte=clock.now() - DIFFERENCES_KEPT)
        runs.filter(id__lte=oldest).exclude(id__in=recent_drift.values("run")).delete()


@_task(name="registry_sync.housekeeping")
def housekeeping() -> None:
    """Seal the audit log, forget what is over or old, and give back its room."""
    audit_chain.seal(now=clock.now())
    session_store.forget_expired()
    invitations.forget_old(clock.now())
    group_memberships.end_stale(clock.now())
    _forget_events(clock.now() - EVENTS_KEPT)
    for row in quarantine.due_for_retry(clock.now()):
        processor.retry_quarantined(row)
    quarantine.forget_old(clock.now())
    access_denials.forget_old(clock.now())
    swapped_passwords.forget_ended(clock.now())
    refused_id_tokens.forget_old(clock.now())
    ledger_forgetting.forget_old(clock.now())
    outbox.forget_given_up(now=clock.now())
    delivery.forget_old(now=clock.now())
    dropped_entries.forget_old(clock.now())
    security_events.forget_old(clock.now())
    long_ago = clock.now() - REMOVALS_KEPT
    RetentionRun.objects.filter(finished_at__lt=long_ago).delete()
    Removal.objects.filter(finished_at__lt=long_ago).delete()
    Purge.objects.filter(finished_at__lt=long_ago, ends_at=None).delete()
    day_ago = clock.now() - timedelta(days=1)
    Lease.objects.filter(name__startswith=LEASE_PREFIX, until__lt=day_ago).delete()
    shared_keys.forget(day_ago)
    repeated = selectors.repeated_approval_runs().filter(finished_at__lt=clock.now() - APPROVAL_RUNS_KEPT)
    SyncRun.objects.filter(pk__in=list(repeated.values_list("pk", flat=True))).delete()
    # Between two full checks there may be a thousand quick passes; and who presses the button all day wipes no others.
    for quick in (False, True):
        for requested in (Q(requested_by="schedule"), ~Q(requested_by="schedule")):
            _forget_runs(SyncRun.objects.filter(requested, quick=quick))
    oldest = (
        DiagnosticRun.objects.order_by("-id")
        .values_list("id", flat=True)[settings.DIAGNOSTIC_RUNS_KEPT : settings.DIAGNOSTIC_RUNS_KEPT + 1]
        .first()
    )
    if oldest:
        DiagnosticRun.objects.filter(id__lte=oldest).delete()
    sqlite_wal.shrink()


@_task(name="registry_sync.mails")
def mails() -> None:
    outbox.send_due(now=clock.now())


@_task(name="registry_sync.webhooks")
def webhooks() -> None:
    """Begin to deliver, in a thread of its own: receivers may be slow, and the worker has more to do."""
    if _delivering.acquire(blocking=False):
        threading.Thread(target=_deliver, name="webhooks", daemon=True).start()


def _deliver() -> None:
    try:
        with leases.hold("webhooks") as lease:
            if lease:
                delivery.deliver_due(seconds=settings.WEBHOOK_PASS_SECONDS, alive=lease.keep_alive)
    except leases.LeaseLost:
        log.warning("another worker took the webhooks over")
    except (DatabaseError, InterfaceError) as error:
        if not outage_of(error):
            raise
        log.warning("webhooks: the database fails (%s)", first_line(error))
    finally:
        connection.close()
        _delivering.release()


@_task(name="registry_sync.denied_bursts")
def look_for_denied_bursts() -> None:
    denied_bursts.look(now=clock.now())


@_task(name="registry_sync.issuer_keys")
def issuer_keys() -> None:
    key_refresh.refresh_due(now=clock.now())


@_task(name="registry_sync.daily")
def daily() -> None:
    """Comes more often: whoever sends it remembers nothing."""
    now = clock.now()
    expiry_mail.send_due(now=now)
    expiring.tell_due(now=now)
    if heartbeats.reserve(Marker.DAILY, now, now + timedelta(days=1)):
        verify_audit_log()


@_task(name="registry_sync.verify_audit_log")
def verify_audit_log() -> None:
    """Keep the outcome for the doctor: reading the whole log takes long."""
    problems = list(audit_chain.problems())
    for problem in problems:
        log.error(
            "the audit log %s: %s", "was changed" if problem.changed else "is not verified", problem.text
        )
    outcome = Marker.AUDIT_LOG_UNVERIFIED if problems else Marker.AUDIT_LOG_INTACT
    if any(problem.changed for problem in problems):
        outcome = Marker.AUDIT_LOG_CHANGED
    heartbeats.note(outcome, clock.now())
