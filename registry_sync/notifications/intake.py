"""The door for the registry's notifications. Answers fast, and 2xx to whatever it has stored.

The registry sends one event at a time and repeats a refused one for ever, with all others behind it; so what
comes with the right key is taken, whatever it is.
"""

import hmac
import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from namespaces.names import split
from registry_sync import heartbeat, services
from registry_sync.models import Event, Heartbeat
from registry_sync.notifications import envelope
from registry_sync.token import key_files

BODY_MAX = 8 * 1024 * 1024
PULSE = timedelta(seconds=1)

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """POST /registry/events. 401 without the key, 202 with it; 5xx only while the database takes nothing."""
    if not is_registry(request.headers.get("Authorization", "")):
        if cache.add(
            "events-refused", 1, timeout=1
        ):  # whoever it is, they cause one write and one line a second
            heartbeat.note(Heartbeat.REFUSED, timezone.now())
            log.warning(
                "a notification came without the right key; see notifications in the registry's configuration"
            )
        return HttpResponse("The bearer key is not the panel's.\n", status=401, content_type="text/plain")
    # `request.body` would answer 400 to what is long, and the registry would bring it for ever.
    take(request.read(BODY_MAX), timezone.now())
    return HttpResponse(status=202)


@transaction.atomic
def take(body: bytes, now: datetime) -> None:
    """Stores each event once, and wakes the worker when that is committed."""
    rows = [
        Event(received_at=now, due_at=now, namespace=split(told.repository)[0], **asdict(told))
        for told in envelope.parse(body, now=now)
    ]
    Event.objects.bulk_create(rows, ignore_conflicts=True)
    heartbeat.note(Heartbeat.EVENTS, now, every=PULSE)
    transaction.on_commit(partial(services.events_came, now, {row.namespace for row in rows}))


def is_registry(authorization: str) -> bool:
    """Whether this header holds the key that only the registry and the panel know."""
    kind, _space, given = authorization.partition(" ")
    key = key_files.read(Path(settings.SECRETS_DIR) / "hook.key")
    return kind.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode(errors="replace"), key.strip()
    )
