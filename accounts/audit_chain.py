"""Seals over the audit log: who changes rows past the triggers of the database cannot make it look whole.

A seal is a digest of the events since the last seal, and of that seal's digest, under the pepper, which is in no
database. It is made afterwards and not with each event: a chain in the rows would let one writer in at a time, and
two that lock each other's rows wait for each other. What was cut off at the end, seals and all, shows only
beside the log, which tells of each seal.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Min, QuerySet

from accounts import credentials
from accounts.credentials import Pepper
from accounts.models import AuditEvent, AuditSeal
from accounts.peppers import peppers

log = logging.getLogger(__name__)
# No transaction is open so long: no event with a smaller number can still come.
# Named: a column that is added later must not make older seals look broken.
SEALED = ("id", "at", "account_id", "actor_kind", "actor_id", "actor", "address", "action", "object_kind",
          "object_id", "object", "before", "after")  # fmt: skip


class Problem(NamedTuple):
    """`changed` is False where only the key is missing that could tell."""

    text: str
    changed: bool


def seal(*, now: datetime) -> AuditSeal | None:
    """Seal what is settled; None when there is nothing new, or somebody else was first."""
    last = AuditSeal.objects.last()
    begin = last.last_event_id if last else 0
    last_event_id = _settled(begin, now)
    if not last_event_id:
        return None
    events, pepper = _between(begin, last_event_id), peppers()[0]
    try:
        with transaction.atomic():
            made = AuditSeal.objects.create(
                last_event_id=last_event_id,
                event_count=events.count(),
                pepper_version=pepper.version,
                digest=_digest(last, events, last_event_id, pepper),
            )
    except IntegrityError:
        return None
    log.info("audit log: seal %s up to event %s is %s", made.pk, made.last_event_id, made.digest)
    return made


def problems() -> Iterator[Problem]:
    """Yield what of the log is not as it was sealed; nothing when it is whole."""
    known = {each.version: each for each in peppers()}
    last = None
    for each in AuditSeal.objects.order_by("id").iterator():
        begin = last.last_event_id if last else 0
        events, pepper = _between(begin, each.last_event_id), known.get(each.pepper_version)
        where = f"Seal {each.pk}, of {each.at:%d %b %Y %H:%M} UTC, over the events {begin + 1} to {each.last_event_id}"
        if not pepper:
            yield Problem(
                f"{where} cannot be verified without pepper-{each.pepper_version}.key.", changed=False
            )
        elif each.digest != _digest(last, events, each.last_event_id, pepper):
            counts = f"there were {each.event_count} events, and there are {events.count()}"
            yield Problem(f"{where} does not hold: {counts}.", changed=True)
        last = each


def _settled(begin: int, now: datetime) -> int:
    """Return the last event before the first that is young; 0 when there is none."""
    new = AuditEvent.objects.filter(id__gt=begin)
    young = new.filter(at__gte=now - timedelta(seconds=settings.AUDIT_SETTLED)).aggregate(first=Min("id"))[
        "first"
    ]
    old = new.filter(id__lt=young) if young else new
    return old.aggregate(last=Max("id"))["last"] or 0


def _between(begin: int, last_event_id: int) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(id__gt=begin, id__lte=last_event_id).order_by("id")


def _digest(last: AuditSeal | None, events: QuerySet[AuditEvent], last_event_id: int, pepper: Pepper) -> str:
    held = sha256()
    for row in events.values(*SEALED).iterator():
        held.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
    before = last.digest if last else ""
    return credentials.digest(f"audit seal\n{before}\n{last_event_id}\n{held.hexdigest()}", pepper)
