"""Persons as a whole: the first operator."""

from django.db import transaction

from accounts import audit, secrets
from accounts.errors import Absent
from accounts.models import Person
from accounts.peppers import digests
from accounts.principal import SYSTEM, Principal


def operator_exists() -> bool:
    return Person.objects.filter(is_staff=True, is_active=True).exists()


def make_operator_link() -> tuple[str, str]:
    """(the link's secret part, the digest to keep of it)."""
    text = secrets.make(secrets.LINK_PREFIX)
    return text, digests(text)[0]


def is_operator_link(*, text: str, kept: str) -> bool:
    """True while `text` is the link whose digest was kept and nobody has used it."""
    return bool(kept) and kept in digests(text) and not operator_exists()


@transaction.atomic
def make_first_operator(*, by: Principal, text: str, kept: str) -> None:
    """Raises Absent when the link is wrong or an operator exists."""
    Person.objects.select_for_update().order_by("pk").first()  # one at a time: the next finds an operator
    if not is_operator_link(text=text, kept=kept):
        raise Absent
    make_operator(email=by.label, by=by)


@transaction.atomic
def make_operator(*, email: str, by: Principal = SYSTEM) -> Person:
    person = Person.objects.select_for_update().filter(email=email.lower()).first()
    if not person:
        raise Absent(f"No person signs in as {email}.")
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    audit.record(by=by, action="person.made_operator", kind="person", id=person.pk, label=person.email)
    return person
