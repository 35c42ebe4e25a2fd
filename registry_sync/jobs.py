"""Asking for a sync, and waking the worker that does it."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from celery import current_app
from celery.exceptions import CeleryError
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from accounts.common.circuit_breaker import Breaker
from accounts.principal import Principal
from registry_sync.models import DiagnosticRun, Event, SyncRun

DIAGNOSTIC_RUN_LIFETIME = timedelta(minutes=3)  # one that is older was left by a worker that crashed

log = logging.getLogger(__name__)
broker = Breaker(rest=5)


def request_sync(*, by: Principal) -> SyncRun:
    """Return the run that will answer: one that waits already, or a new one.

    The request is a row; the broker only wakes a worker. Without a broker the next scheduled run takes the row.
    """
    with transaction.atomic():
        run = SyncRun.objects.filter(state=SyncRun.State.WAITING).order_by("id").first()
        if not run:
            run = SyncRun.objects.create(requested_by=by.label)
    transaction.on_commit(wake_worker)  # the caller's, if it has one: the worker must find the row
    return run


def wake_worker() -> bool:
    return publish("registry_sync.reconcile")


def request_diagnostic_run(*, by: Principal) -> DiagnosticRun:
    """Return the diagnostic run that will answer: one that waits or is under way, or a new one."""
    now = timezone.now()
    with transaction.atomic():
        asked = DiagnosticRun.objects.exclude(state=DiagnosticRun.State.DONE).filter(
            requested_at__gt=now - DIAGNOSTIC_RUN_LIFETIME
        )
        row = asked.order_by("id").first() or DiagnosticRun.objects.create(requested_by=by.label)
    transaction.on_commit(wake_doctor)
    return row


def wake_doctor() -> bool:
    return publish("registry_sync.doctor")


def wake_events() -> bool:
    return publish("registry_sync.apply_events")


def wake_for_new_events(now: datetime, namespaces: Collection[str]) -> None:
    """Wake for the first of a namespace that waits; the applier looks once more before it ends.

    While no worker takes them, the broker would else hold a message for each event. And what waits of others may do so
    because the registry says nothing about their images.
    """
    waiting = Event.objects.filter(due_at__lte=now, received_at__lt=now, applied_at=None, problem="")
    if not all(waiting.filter(namespace=name).exists() for name in namespaces):
        wake_events()


def wake_removals() -> bool:
    return publish("registry_sync.removals")


def publish(task: str, *, countdown: float | None = None) -> bool:
    """Send a message for the task of this name, to be taken in so many seconds.

    By name, because tasks import the work, and the work imports this. Return False, with a line in the log, when the
    broker does not answer.
    """
    if not broker.may_ask:
        return False
    try:
        current_app.send_task(task, countdown=countdown)
    except (BrokerError, CeleryError, OSError) as error:
        broker.failed()
        log.warning("broker does not answer (%s); the schedule will do the work", type(error).__name__)
        return False
    return True
