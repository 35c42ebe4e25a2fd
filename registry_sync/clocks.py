"""A clock that went back leaves moments behind it that lie ahead: nothing would be done until then."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from accounts.models import OutgoingMail
from namespaces.models import CatalogRead
from registry_sync.models import Death, Event, Heartbeat, Removal, SyncRun

SLACK = timedelta(seconds=2)  # between reading the clock and writing down what it says
SIGNS = (Heartbeat.WORKER, Heartbeat.BEAT, Heartbeat.EVENTS, Heartbeat.PULLS)

log = logging.getLogger(__name__)


def mend(now: datetime) -> bool:
    """Whether there were such moments. They become now: what is tried too early is tried again. Leases are
    void by themselves (sync/leases.py)."""
    latest = Heartbeat.objects.filter(name__in=SIGNS).aggregate(at=Max("at"))["at"]
    if latest is None or latest <= now + SLACK:
        return False
    log.warning("the clock went back by %s; what lay ahead of it is mended", latest - now)
    with transaction.atomic():
        Heartbeat.objects.filter(at__gt=now).update(at=now)
        Heartbeat.objects.update_or_create(name=Heartbeat.CLOCK, defaults={"at": now})
        Event.objects.filter(received_at__gt=now).update(received_at=now)
        Event.objects.filter(due_at__gt=now).update(due_at=now)
        Removal.objects.filter(due_at__gt=now).update(due_at=now)
        OutgoingMail.objects.filter(due_at__gt=now, attempts=0).update(due_at=now)
        Death.objects.filter(at__gt=now).update(at=now)
        CatalogRead.objects.filter(began_at__gt=now).update(began_at=now)
        for column in ("started_at", "heartbeat_at", "finished_at"):
            SyncRun.objects.filter(**{f"{column}__gt": now}).update(**{column: now})
    return True
