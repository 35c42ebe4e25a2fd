"""Sign-ins of persons: kept as security events; the person is told by mail of one from a new place.

A place is a network and a browser's name. It is new where no sign-in of KNOWN_FOR came from it. The first sign-in that
is known tells nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import expiry, notices, security_events
from accounts.common.client_ip import Origin, network_of, wide_network_of
from accounts.common.fair_share import Owner
from accounts.common.lazy_text import lazy as _
from accounts.common.user_agent import family
from accounts.models import Person
from accounts.principal import Principal
from accounts.security_events import Kind
from accounts.write_behind import Batch

KNOWN_FOR: Final = timedelta(days=60)
MAILS_A_DAY: Final = 3
MOST: Final = 2000
EACH: Final = 50  # failed sign-ins from one network, between two writes


@transaction.atomic
def note(*, person: Person, by: Principal, how: str) -> None:
    """Keep that the person signed in. Tell them if it was from a new place, and there is a mail server."""
    now = timezone.now()
    lately = security_events.of_person(person.pk).filter(kind=Kind.SIGNED_IN, at__gt=now - KNOWN_FOR)
    known = {_place(address, client) for address, client in lately.values_list("address", "client")}
    before = bool(known) or security_events.of_person(person.pk).filter(kind=Kind.SIGNED_IN).exists()
    new = before and _place(by.address, by.client) not in known
    told = lately.filter(new_place=True, at__gt=now - timedelta(days=1)).count() if new else 0
    security_events.note(person_id=person.pk, kind=Kind.SIGNED_IN, by=by, detail=how, new_place=new)
    if new and told < MAILS_A_DAY and settings.ACCOUNT_EMAIL_NOTIFICATIONS:
        _tell(person, by, now)


def _tell(person: Person, by: Principal, now: datetime) -> None:
    facts = {"client": by.client, "address": by.address, "when": lambda: expiry.said(now)}
    notices.tell(person, "new_sign_in", facts)


def _place(address: str, client: str) -> tuple[str, str]:
    return wide_network_of(address), family(client)


def how(records: Sequence[Mapping[str, Any]]) -> str:
    """Return how somebody signed in, of what allauth recorded in the session."""
    methods = {str(each.get("method")) for each in records}
    if any(each.get("passwordless") for each in records):
        return _("with a passkey")
    if "password_reset" in methods:
        return _("by a password reset link")
    if "socialaccount" in methods:
        return _("by single sign-on with a second factor") if "mfa" in methods else _("by single sign-on")
    if "password" in methods:
        return _("with password and second factor") if "mfa" in methods else _("with the password")
    return ""


@dataclass(frozen=True, slots=True)
class FailedSignIn:
    """Of an address that somebody gave, whether anybody has it or not: looking would take time that tells."""

    email: str
    origin: Origin
    attempts: int = 1

    @property
    def owner(self) -> Owner:
        return network_of(self.origin.address), ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.email, self.origin.address

    @property
    def count(self) -> int:
        return 0  # who floods it loses nothing of their own

    def merged_with(self, earlier: "FailedSignIn") -> "FailedSignIn":
        return replace(self, attempts=self.attempts + earlier.attempts)


def _write(notes: list[FailedSignIn]) -> None:
    wanted = {note.email for note in notes}
    people: dict[str, int] = dict(Person.objects.filter(email__in=wanted).values_list("email", "pk"))
    others = EmailAddress.objects.filter(Q(email__in=wanted), verified=True).values_list("email", "user_id")
    found = dict(others) | people
    for note in notes:
        if person_id := found.get(note.email):
            security_events.note_failed(person_id=person_id, origin=note.origin, attempts=note.attempts)


failed = Batch("failed sign-ins", _write, most=MOST, each=EACH, merge=FailedSignIn.merged_with)
