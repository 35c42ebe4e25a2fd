"""What operators do to a person as a whole: disable, enable, sign out everywhere, make and unmake operators."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import audit, security_events, session_store
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import Person, SecurityEvent
from accounts.principal import Principal
from accounts.services import people

Kind = SecurityEvent.Kind


@transaction.atomic
def disable(*, by: Principal, person: Person) -> None:
    """Let them in no more: sessions end, API tokens are refused until they are enabled again.

    What they own stays. Raise Conflict for oneself and for the last operator.
    """
    row = _locked(person)
    if row.pk == by.person_id:
        raise Conflict.on("", _("You cannot disable yourself. Ask another operator."))
    if not row.is_active:
        return
    if row.is_staff:
        _keep_an_operator(row)
    row.is_active = False
    row.save(update_fields=["is_active"])
    count = session_store.end_all_of(row)
    _record(by, AuditAction.PERSON_DISABLED, row, Kind.DISABLED, sessions=count)


@transaction.atomic
def enable(*, by: Principal, person: Person) -> None:
    """Let them sign in again; their API tokens work again."""
    row = _locked(person)
    if not row.is_active:
        session_store.end_all_of(row)  # also of who was just signing in when they were disabled
        row.is_active = True
        row.save(update_fields=["is_active"])
        _record(by, AuditAction.PERSON_ENABLED, row, Kind.ENABLED)


@transaction.atomic
def end_sessions(*, by: Principal, person: Person) -> int:
    """Sign them out in every browser. Return how many sessions ended."""
    row = _locked(person)
    count = session_store.end_all_of(row)
    if count:
        _record(by, AuditAction.PERSON_SESSIONS_ENDED, row, Kind.SESSION_ENDED, sessions=count)
    return count


@transaction.atomic
def make_operator(*, by: Principal, person: Person) -> None:
    """Raise Conflict for who is disabled."""
    row = _locked(person)
    if not row.is_active:
        raise Conflict.on("", _("A disabled person cannot be an operator. Enable them first."))
    if not row.is_staff:
        people.make_operator(email=row.email, by=by)


@transaction.atomic
def unmake_operator(*, by: Principal, person: Person) -> None:
    """End the role, until a group gives it anew. Raise Conflict for the last operator who can sign in."""
    row = _locked(person)
    if not row.is_staff:
        return
    _keep_an_operator(row)
    row.is_staff = row.operator_by_group = False
    row.save(update_fields=["is_staff", "operator_by_group"])
    _record(by, AuditAction.PERSON_OPERATOR_ENDED, row, Kind.UNMADE_OPERATOR)


def _locked(person: Person) -> Person:
    """Lock the person and all operators: of two who remove each other one has to see what the other did."""
    rows = Person.objects.select_for_update().filter(Q(pk=person.pk) | Q(is_staff=True)).order_by("pk")
    return next(row for row in rows if row.pk == person.pk)


def _keep_an_operator(person: Person) -> None:
    if person.is_active and not Person.objects.filter(is_staff=True, is_active=True).exclude(pk=person.pk):
        raise Conflict.on(
            "", _("This is the last operator who can sign in. Make another person operator first.")
        )


def _record(
    by: Principal, action: AuditAction, person: Person, kind: SecurityEvent.Kind, **after: int
) -> None:
    audit.record(by=by, action=action, kind="person", id=person.pk, label=person.email, after=after)
    security_events.note(person_id=person.pk, kind=kind, by=by)
