"""The door for the registry's notifications. Answers fast, and 2xx to whatever it has stored.

The registry sends one event at a time and repeats a refused one for ever, with all others behind it; so what
comes with the right key is taken, whatever it is.
"""

import hmac
import logging
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from accounts.common import clock, secret_files
from accounts.common.counts import Counter
from namespaces.names import split
from registry_sync import heartbeats, jobs
from registry_sync.client.pacing import USER_AGENT, requested_at
from registry_sync.events import envelope
from registry_sync.models import Event, Marker
from registry_sync.tokens.issuer import PANEL_SUBJECT

WRITE_INTERVAL = timedelta(seconds=1)
events_total = Counter(
    "registry_manager_events_received_total",
    "Events that the registry brought, repeated ones and those of the panel's own reading included.",
    label="action",
    values=("push", "pull", "mount", "delete", "other"),
)

log = logging.getLogger(__name__)


@csrf_exempt
def receive_events(request: HttpRequest) -> HttpResponse:
    """POST /registry/events. 401 without the key, 202 with it; 5xx only while the database takes nothing.

    Never a redirect: the registry would follow it with a GET, and hold the event for delivered.
    """
    if request.method != "POST":
        if has_registry_key(request.headers.get("Authorization", "")):
            heartbeats.note(Marker.REDIRECTED, clock.now(), every=WRITE_INTERVAL)
        return HttpResponseNotAllowed(["POST"])
    if not has_registry_key(request.headers.get("Authorization", "")):
        if cache.add(
            "events-refused", 1, timeout=1
        ):  # whoever it is, they cause one write and one line a second
            heartbeats.note(Marker.REFUSED, clock.now())
            log.warning(
                "a notification came without the right key; see notifications in the registry's configuration"
            )
        return HttpResponse("The bearer key is not the panel's.\n", status=401, content_type="text/plain")
    # `request.body` would answer 400 to what is long, and the registry would bring it for ever.
    body = request.read(settings.EVENTS_BODY_MAX)
    if len(body) < min(int(request.META.get("CONTENT_LENGTH") or 0), settings.EVENTS_BODY_MAX):
        return HttpResponse("The body broke off.\n", status=400, content_type="text/plain")  # it comes again
    store_events(body, clock.now())
    return HttpResponse(status=202)


@transaction.atomic
def store_events(body: bytes, now: datetime) -> None:
    """Store each event once, and wake the worker when that is committed.

    Of what we read ourselves nothing is kept but how far the registry is with telling it.
    """
    events = envelope.parse_envelope(body, now=now)
    for event in events:
        events_total.add(event.action)
    rows = [
        Event(received_at=now, due_at=now, namespace=split(event.repository)[0], **asdict(event))
        for event in events
        if not _is_own_read(event)
    ]
    heartbeats.note(Marker.EVENTS, now, every=WRITE_INTERVAL)
    if asked := [
        moment for event in events if _is_own_read(event) and (moment := requested_at(event.client))
    ]:
        last = datetime.fromtimestamp(max(asked), UTC)  # by the clock of the worker that asked
        heartbeats.note(Marker.READ, last if last <= now + clock.APART else now, every=WRITE_INTERVAL / 10)
    if not rows:
        return
    Event.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(partial(jobs.wake_for_new_events, now, {row.namespace for row in rows}))


def _is_own_read(event: envelope.ParsedEvent) -> bool:
    """Tell our own reading by the actor, which the registry takes from a token that only we can sign.

    No user is named so. A User-Agent alone proves nothing; it sets apart the doctor, who waits for its event.
    """
    own = event.action == "pull" and event.actor == PANEL_SUBJECT
    return own and (event.client == USER_AGENT or requested_at(event.client) is not None)


def has_registry_key(authorization: str) -> bool:
    """Whether this header holds the key that only the registry and the panel know."""
    kind, _space, given = authorization.partition(" ")
    key = secret_files.read_key(Path(settings.SECRETS_DIR) / "hook.key")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(errors="replace"), key)
