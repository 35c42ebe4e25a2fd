"""Clocks jump.

One that went back leaves moments behind it that lie ahead: nothing would be done until then. By one that ran ahead
everything is old.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from accounts.models import OutgoingMail
from namespaces.models import CatalogRead, WebhookDelivery
from namespaces.webhooks.attempts import JITTER, RETRY_AFTER
from registry_sync.models import Event, Marker, Removal, SyncRun, WorkerCrash
from registry_sync.retention import clock_guard

SLACK = timedelta(seconds=2)  # between reading the clock and writing down what it says
JUMP_MIN = timedelta(days=14)  # more than a laptop is left alone
CHECKED_MARKERS = (Marker.WORKER, Marker.BEAT, Marker.EVENTS, Marker.PULLS)

log = logging.getLogger(__name__)


def _mend_webhook_messages(now: datetime) -> None:
    """Have sent now what nobody tried yet, and what waits for longer than anything is put off."""
    too_late = Q(due_at__gt=now, attempts=0) | Q(due_at__gt=now + RETRY_AFTER[-1] * (1 + JITTER))
    WebhookDelivery.objects.filter(too_late).update(due_at=now)


def jumped_ahead(now: datetime) -> bool:
    """Return whether the clock ran far ahead since a worker last gave a sign of life, or none lived for so long.

    Nobody can tell which. To be asked before it gives the next one.
    """
    last = Marker.objects.filter(name=Marker.WORKER).values_list("at", flat=True).first()
    if last is None or now - last < JUMP_MIN:
        return False
    log.warning("the clock went ahead by %s, or no worker ran for so long", now - last)
    with transaction.atomic():
        Marker.objects.update_or_create(name=Marker.LEAP, defaults={"at": now})
        clock_guard.disable_rules(now - last)
    return True


def repair_after_setback(now: datetime) -> bool:
    """Return whether there were moments that lie ahead. They become now: what is tried too early is tried again.

    Leases are void by themselves (leases.py).
    """
    latest = Marker.objects.filter(name__in=CHECKED_MARKERS).aggregate(at=Max("at"))["at"]
    if latest is None or latest <= now + SLACK:
        return False
    log.warning("the clock went back by %s; what lay ahead of it is mended", latest - now)
    with transaction.atomic():
        Marker.objects.filter(at__gt=now).update(at=now)
        Marker.objects.update_or_create(name=Marker.CLOCK, defaults={"at": now})
        Event.objects.filter(received_at__gt=now).update(received_at=now)
        Event.objects.filter(due_at__gt=now).update(due_at=now)
        Removal.objects.filter(due_at__gt=now).update(due_at=now)
        OutgoingMail.objects.filter(due_at__gt=now, attempts=0).update(due_at=now)
        _mend_webhook_messages(now)
        WorkerCrash.objects.filter(at__gt=now).update(at=now)
        CatalogRead.objects.filter(started_at__gt=now).update(started_at=now)
        for column in ("started_at", "heartbeat_at", "finished_at"):
            SyncRun.objects.filter(**{f"{column}__gt": now}).update(**{column: now})
    return True
