"""What the worker does, when beat or a person says so. Each task may come twice, late or never: all is in the rows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import task_prerun, worker_ready
from django.conf import settings
from django.utils import timezone

from namespaces import usage
from namespaces.models import ReservedName, Revision
from registry_sync import connection, heartbeat, services
from registry_sync.doctor import checkup
from registry_sync.models import Checkup, Drift, Event, Heartbeat, SyncRun
from registry_sync.notifications.apply import apply_due
from registry_sync.sync.reconcile import reconcile as run_reconcile
from registry_sync.token import authority

RUNS_KEPT = 500
EVENTS_KEPT = timedelta(days=7)
CHECKUPS_KEPT = 100
DIFFERENCES_KEPT = timedelta(days=30)
ALIVE = timedelta(seconds=10)
SOON = timedelta(seconds=5)  # what is due later is left to beat


@worker_ready.connect
@task_prerun.connect
def _worker_lives(**_details: Any) -> None:
    heartbeat.note(Heartbeat.WORKER, timezone.now(), every=ALIVE)


@shared_task(name="registry_sync.pulse", ignore_result=True)
def pulse(**_later: Any) -> None:
    """Sent by the schedule alone, and dropped when it comes late: that it runs proves that the schedule lives."""
    heartbeat.note(Heartbeat.BEAT, timezone.now())
    checkup.work()


@shared_task(name="registry_sync.doctor", ignore_result=True)
def doctor(**_later: Any) -> None:
    checkup.work()


@shared_task(name="registry_sync.reconcile")
def reconcile(**_later: Any) -> None:
    """Several of these share one run, each reading parts of it."""
    run = run_reconcile(connection.registry(), when_due=True, others=wake_others)
    if run and run.finished_at and SyncRun.objects.filter(state=SyncRun.State.WAITING).exists():
        services.wake_worker()


def wake_others() -> None:
    for _each in range(settings.SYNC_WORKERS - 1):
        services.wake_worker()


@shared_task(name="registry_sync.apply_events", ignore_result=True)
def apply_events(**_later: Any) -> None:
    """Comes when events come, when the first of them is to be confirmed, and from beat in case both were lost."""
    registry = connection.registry()
    try:
        wait = apply_due(registry)
    finally:
        registry.close()
    if wait is not None and wait < SOON:
        apply_events.apply_async(countdown=wait.total_seconds() + 0.05)


@shared_task(name="registry_sync.measure_usage")
def measure_usage(**_later: Any) -> None:
    """Every minute; counts only when there is something new, and once an hour in any case."""
    now, last = timezone.now(), heartbeat.last(Heartbeat.USAGE)
    newest = Revision.objects.order_by("-id").values_list("first_seen_at", flat=True).first()
    if last and now - last < timedelta(hours=1) and (not newest or newest < last):
        return
    usage.measure(timezone.localdate())
    heartbeat.note(Heartbeat.USAGE, now)


@shared_task(name="registry_sync.housekeeping")
def housekeeping(**_later: Any) -> None:
    """Renews the signing leaf when due; forgets old runs and reservations that are over."""
    authority.renew_leaf(Path(settings.SECRETS_DIR), timezone.now())
    ReservedName.objects.filter(until__lt=timezone.now() - timedelta(days=1), only_account_id=None).delete()
    Event.objects.filter(due_at=None, received_at__lt=timezone.now() - EVENTS_KEPT).delete()
    oldest = SyncRun.objects.order_by("-id").values_list("id", flat=True)[RUNS_KEPT : RUNS_KEPT + 1].first()
    if oldest:
        # A run that found what no event told stays longer: it is the proof.
        telling = Drift.objects.filter(found_at__gte=timezone.now() - DIFFERENCES_KEPT)
        SyncRun.objects.filter(id__lte=oldest).exclude(id__in=telling.values("run")).delete()
    old = (
        Checkup.objects.order_by("-id")
        .values_list("id", flat=True)[CHECKUPS_KEPT : CHECKUPS_KEPT + 1]
        .first()
    )
    if old:
        Checkup.objects.filter(id__lte=old).delete()
