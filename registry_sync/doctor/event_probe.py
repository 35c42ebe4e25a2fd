"""Lets something harmless happen in the registry, and waits for the event about it.

First a look at a manifest that is there: it leaves nothing. If its event does not come (looks may be filtered out
at the source, and an empty registry has none), a manifest without a tag is pushed into a repository of our own and
deleted again.
"""

import contextlib
import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from accounts.common import clock
from namespaces.models import Tag
from registry_sync import doctor, heartbeats
from registry_sync.client import RegistryClient, RegistryError, responses
from registry_sync.doctor.observations import EventProbe
from registry_sync.models import Event, Marker

LOOK = 0.2  # seconds between two
_CONFIG = b"{}"
_TYPE = "application/vnd.oci.image.manifest.v1+json"


def agent() -> str:
    """Return what the requests of one diagnostic run call themselves, so that their events are known again."""
    return f"registry-manager-doctor/{secrets.token_hex(8)}"


def try_events(registry: RegistryClient, location: Callable[[], str] = lambda: "") -> EventProbe:
    """`registry` names itself with an `agent()` of its own.

    `location` asks where our address for events sends on to: last, because what it brings is refused as well.
    """
    began = clock.now()
    seconds = _seconds_until_event(registry.agent, _look, registry, settings.DOCTOR_EVENT_OF_LOOK)
    if seconds is not None:
        return EventProbe(seconds)
    problem = ""
    try:
        seconds = _seconds_until_event(registry.agent, _push, registry, settings.DOCTOR_EVENT_OF_PUSH)
    except RegistryError as error:
        problem = error.text
    refused, redirected = _noted(Marker.REFUSED, began), _noted(Marker.REDIRECTED, began)
    return EventProbe(seconds, refused, problem, redirected, location())


def _seconds_until_event(
    name: str, act: Callable[[RegistryClient], bool], registry: RegistryClient, wait: float
) -> float | None:
    before = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    began = time.monotonic()
    if not act(registry):
        return None
    events = Event.objects.filter(id__gt=before, client__startswith=name)
    return time.monotonic() - began if wait_until(events.exists, wait) else None


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until it holds, or the time is over."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(LOOK)
    return True


def _look(registry: RegistryClient) -> bool:
    tag = Tag.objects.select_related("image__namespace").order_by(*Tag.NEWEST_FIRST).first()
    if not tag:
        return False
    try:
        return registry.manifest(tag.image.repository, tag.manifest_id) is not None
    except RegistryError:
        return False


def _push(registry: RegistryClient) -> bool:
    config = responses.digest_of(_CONFIG)
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": config,
        "size": len(_CONFIG),
    }
    # Never the same twice: of what is there already some registries send no event.
    document = {"schemaVersion": 2, "mediaType": _TYPE, "config": described, "layers": [],
                "annotations": {"doctor": registry.agent}}  # fmt: skip
    body = json.dumps(document).encode()
    digest = responses.digest_of(body)
    registry.put_blob(doctor.REPOSITORY, config, _CONFIG)
    registry.put_manifest(doctor.REPOSITORY, digest, _TYPE, body)
    with contextlib.suppress(RegistryError):  # deletion may be off; that is another check's matter
        registry.delete(doctor.REPOSITORY, digest)
    return True


def _noted(name: str, since: datetime) -> bool:
    """Return whether it was noted. The registry repeats what is refused, each few seconds."""
    at = heartbeats.last(name)
    return at is not None and at >= since
