"""Persons as a whole: the first operator, and the one-time link that makes them."""

from contextlib import suppress

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q

from accounts import audit, credentials, security_events
from accounts.audit_actions import AuditAction
from accounts.common.errors import NotFound
from accounts.models import AuditEvent, OperatorLink, Person, SecurityEvent
from accounts.peppers import peppers
from accounts.principal import GROUPS, SYSTEM, Principal


def operator_exists() -> bool:
    return Person.objects.filter(is_staff=True, is_active=True).exists()


def operator_existed() -> bool:
    """Return True from the first operator on, whatever became of them."""
    return (
        Person.objects.filter(is_staff=True).exists()
        or AuditEvent.objects.filter(action=AuditAction.PERSON_MADE_OPERATOR).exists()
    )


@transaction.atomic
def make_operator_link() -> str | None:
    """Return a fresh link's secret part; links from before are void. None when an operator exists already."""
    OperatorLink.objects.all().delete()
    if operator_exists():
        return None
    text = credentials.make(credentials.LINK_PREFIX)
    link = OperatorLink.objects.create(digest=credentials.digests(text, peppers())[0])
    audit.record(
        by=SYSTEM, action=AuditAction.PERSON_OPERATOR_LINK_MADE, kind="operator link", id=link.pk, label=""
    )
    return text


def find_operator_link(*, text: str) -> OperatorLink:
    """Return the link. Raise NotFound for one that is unknown, used or replaced, and while an operator exists."""
    if not credentials.well_formed(text, credentials.LINK_PREFIX):
        raise NotFound
    return _in_force(Q(digest__in=credentials.digests(text, peppers())))


def opened_operator_link(*, id: int, person_id: int | None) -> OperatorLink:  # noqa: A002
    """Return the link that was opened a while ago, if it is still there for this person."""
    return _in_force(Q(pk=id) & (Q(reserved_for=None) | Q(reserved_for=person_id)))


def signed_up_by_operator_link(*, email: str) -> bool:
    with suppress(NotFound):
        return bool(_in_force(Q(reserved_for__email=email)))
    return False


@transaction.atomic
def reserve_operator_link(*, id: int, person: Person) -> bool:  # noqa: A002
    """In the transaction that signs `person` up: from then on it is theirs alone. False when it is not free."""
    free = OperatorLink.objects.filter(pk=id, reserved_for=None)
    return not operator_exists() and bool(free.update(reserved_for=person))


@transaction.atomic
def make_first_operator(*, by: Principal, link: OperatorLink) -> None:
    """Spend the link. Raise NotFound when another was quicker, or an operator exists."""
    mine = OperatorLink.objects.filter(Q(reserved_for=None) | Q(reserved_for=by.person_id), pk=link.pk)
    spent, _rows = mine.delete()
    if not spent or operator_exists():
        raise NotFound
    make_operator(email=by.label, by=by)


def forget_claims(*, email: str) -> None:
    """For somebody who signs up with the address: who only claimed it as a second one of theirs has it no more."""
    EmailAddress.objects.filter(email__iexact=email, verified=False).delete()


def choose_language(*, by: Principal, language: str) -> None:
    """Nobody else is concerned, so the audit log does not tell of it."""
    Person.objects.filter(pk=by.person_id).update(language=language)


@transaction.atomic
def make_operator(*, email: str, by: Principal = SYSTEM) -> Person:
    """No link is left that could make another one, should this one go."""
    person = Person.objects.select_for_update().filter(email=email.lower()).first()
    if not person:
        raise NotFound(f"No person signs in as {email}.")
    person.is_staff = True
    person.save(update_fields=["is_staff"])
    OperatorLink.objects.all().delete()
    audit.record(
        by=by, action=AuditAction.PERSON_MADE_OPERATOR, kind="person", id=person.pk, label=person.email
    )
    security_events.note(person_id=person.pk, kind=SecurityEvent.Kind.MADE_OPERATOR, by=by)
    return person


@transaction.atomic
def follow_operator_group(*, person: Person, belongs: bool) -> None:
    """At a sign-in: who is in the operators' group is one; who left it is none, but for the last."""
    rows = Person.objects.select_for_update().filter(Q(pk=person.pk) | Q(is_staff=True, is_active=True))
    found = {each.pk: each for each in rows.order_by("pk")}
    person = found.pop(person.pk)
    if belongs and not person.is_staff:
        make_operator(email=person.email, by=GROUPS)
        Person.objects.filter(pk=person.pk).update(operator_by_group=True)
    elif not belongs and person.operator_by_group and not person.is_staff:  # taken from them meanwhile
        Person.objects.filter(pk=person.pk).update(operator_by_group=False)
    elif not belongs and person.operator_by_group and found:
        Person.objects.filter(pk=person.pk).update(is_staff=False, operator_by_group=False)
        audit.record(
            by=GROUPS,
            action=AuditAction.PERSON_OPERATOR_ENDED,
            kind="person",
            id=person.pk,
            label=person.email,
        )
        security_events.note(person_id=person.pk, kind=SecurityEvent.Kind.UNMADE_OPERATOR, by=GROUPS)


def _in_force(wanted: Q) -> OperatorLink:
    newest = OperatorLink.objects.order_by("-pk").values("pk")[:1]
    link = OperatorLink.objects.filter(wanted, pk__in=newest).first()
    if not link or operator_exists():
        raise NotFound
    return link
