"""Asks the registry, every few seconds, what each client asks first, and notes for the pages what came of it."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.common.secret_files import SecretFileError
from registry_sync import heartbeats
from registry_sync.client import NoResponse, RegistryClient, responses
from registry_sync.models import Marker
from registry_sync.tokens.issuer import issue_panel_token

TIMEOUT = 5  # seconds; a client would not wait for much longer, and each look keeps a worker

log = logging.getLogger(__name__)


def probe(registry: RegistryClient, now: datetime, *, seconds: float = TIMEOUT) -> None:
    """`/v2/` takes any good token, and needs none of the registry's images."""
    record(_probe_result(registry, seconds), now)


def _probe_result(registry: RegistryClient, seconds: float) -> str:
    """Return the name of a marker."""
    try:
        token = issue_panel_token([], now=timezone.now())
    except SecretFileError:
        return Marker.TOKENS_UNSIGNED
    try:
        bearer = {"Authorization": f"Bearer {token}"}
        with registry.ask("/v2/", bearer, seconds=seconds) as response:
            status = response.status_code
    except NoResponse:
        return Marker.REGISTRY_SILENT
    if status in (responses.OK, responses.TOO_MANY_REQUESTS):
        return Marker.REGISTRY
    return Marker.REGISTRY_REFUSES if status == responses.UNAUTHORIZED else Marker.REGISTRY_SILENT


@transaction.atomic
def record(marker: str, now: datetime) -> None:
    """Note it. What began stays as it began until it is over."""
    over = Marker.objects.filter(name__in=[sign for sign in Marker.TROUBLES if sign != marker])
    for name in over.values_list("name", flat=True):
        log.warning("over: %s", name)
    over.delete()
    if marker == Marker.REGISTRY:
        heartbeats.note(marker, now)
        return
    _row, begun = Marker.objects.get_or_create(name=marker, defaults={"at": now})
    if begun:
        log.error("push and pull fail: %s", marker)
