"""What happened to a person's ways in, kept for that person to read.

Bounded: the last KEPT of each person, of which FAILED_KEPT are failed sign-ins, so that whoever guesses wipes out
nothing else; each for KEPT_FOR. The audit log keeps what concerns others too, and is never cut.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.common.client_ip import Origin
from accounts.common.lazy_text import LazyText, verbatim
from accounts.kept_rows import forget_oldest
from accounts.models import SecurityEvent
from accounts.principal import Principal

KEPT: Final = 200
FAILED_KEPT: Final = 50
KEPT_FOR: Final = timedelta(days=365)
TOGETHER: Final = timedelta(
    days=1
)  # failed sign-ins from one address in this time are one event with a count

Kind = SecurityEvent.Kind


@transaction.atomic
def note(
    *, person_id: int, kind: SecurityEvent.Kind, by: Principal, detail: str = "", new_place: bool = False
) -> None:
    """Keep that `kind` happened to the person. `detail`: a name, or a sentence of `lazy_text`; no secret.

    `by` is the person, an operator, or who has not signed in; it also says from where and with what.
    """
    if kind == Kind.SIGN_IN_FAILED:
        origin = Origin(by.address, by.client, timezone.now())
        note_failed(person_id=person_id, origin=origin, attempts=1, detail=detail)
        return
    SecurityEvent.objects.create(
        person_id=person_id,
        at=timezone.now(),
        kind=kind,
        actor="" if by.person_id == person_id else by.label[:254],
        address=by.address,
        client=by.client,
        detail=_kept(detail),
        new_place=new_place,
    )
    others = SecurityEvent.objects.filter(person_id=person_id).exclude(kind=Kind.SIGN_IN_FAILED)
    forget_oldest(others, KEPT - FAILED_KEPT, by="at")


@transaction.atomic
def note_failed(*, person_id: int, origin: Origin, attempts: int, detail: str = "") -> None:
    """Keep that somebody tried in vain to sign in as the person; those of a day from one address together."""
    rows = SecurityEvent.objects.filter(person_id=person_id, kind=Kind.SIGN_IN_FAILED)
    same = rows.filter(address=origin.address, at__gt=origin.at - TOGETHER).order_by("-at", "-id")
    newest = SecurityEvent.objects.filter(pk__in=list(same.values_list("pk", flat=True)[:1]))
    if newest.update(count=F("count") + attempts, at=origin.at, client=origin.client):
        return
    SecurityEvent.objects.create(
        person_id=person_id,
        at=origin.at,
        kind=Kind.SIGN_IN_FAILED,
        address=origin.address,
        client=origin.client,
        detail=_kept(detail),
        count=attempts,
    )
    forget_oldest(rows, FAILED_KEPT, by="at")


def of_person(person_id: int) -> QuerySet[SecurityEvent]:
    return SecurityEvent.objects.filter(person_id=person_id).order_by("-at", "-id")


def forget_old(now: datetime) -> None:
    SecurityEvent.objects.filter(at__lt=now - KEPT_FOR).delete()


def _kept(detail: str) -> str:
    """Translate no name, whatever it happens to be."""
    return verbatim(detail) if detail and not isinstance(detail, LazyText) else detail
