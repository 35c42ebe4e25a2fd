"""All persons of the installation, for operators: the list, and what one person's page shows."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import session_store, sign_in_ways
from accounts.common.counted import number_of
from accounts.models import Account, ApiToken, AuditEvent, Member, Person
from accounts.roles import Role
from accounts.second_factors import requirement

_IN_STATE = {
    "operators": Q(is_staff=True),
    "disabled": Q(is_active=False),
    "never": Q(last_login=None),
    "no_factor": Q(has_factor=False),
}
STATES = list(_IN_STATE)
EVENTS_SHOWN = 20


def people(*, search: str = "", state: str = "", now: datetime) -> QuerySet[Person]:
    """Return the persons whose address has `search` in it, by address. `state` is one of STATES, "" for all.

    Each has `.token_count`, `.factor_count` and `.single_sign_on`.
    """
    found = Person.objects.all()
    if search:
        others = EmailAddress.objects.filter(user=OuterRef("pk"), email__icontains=search)
        found = found.filter(Q(email__icontains=search) | Exists(others))
    found = found.annotate(has_factor=Exists(requirement.factors_of(OuterRef("pk"))))
    if state:
        found = found.filter(_IN_STATE[state])
    return _described(found, now).order_by("email")


def one(*, person_id: int, now: datetime) -> Person | None:
    """As in `people`, with `.session_count`."""
    sessions = session_store.live_sessions(now).filter(user=OuterRef("pk"))
    found = _described(Person.objects.filter(pk=person_id), now)
    return found.annotate(session_count=number_of(sessions)).first()


def memberships(people: list[Person]) -> dict[int, list[Member]]:
    """Return person id → memberships in accounts that are not closed, by the account's name. One statement."""
    found: dict[int, list[Member]] = {person.pk: [] for person in people}
    rows = Member.objects.filter(person__in=people, account__closed_at=None).select_related("account")
    for member in rows.order_by("account__name", "account_id"):
        found[member.person_id].append(member)
    return found


def owned_alone(person: Person) -> list[Account]:
    """Return the open accounts of which no other owner can sign in."""
    others = Member.objects.filter(account=OuterRef("pk"), role=Role.OWNER, person__is_active=True)
    rows = Account.objects.filter(
        ~Exists(others.exclude(person=person)),
        closed_at=None,
        members__person=person,
        members__role=Role.OWNER,
    )
    return list(rows.order_by("name", "id"))


def live_tokens(person: Person, now: datetime) -> QuerySet[ApiToken]:
    return _live_tokens(now).filter(person=person).order_by("-created_at", "-id")


def events_about(person: Person) -> QuerySet[AuditEvent]:
    """Return the newest of what operators did to the person, and of what the person did outside of accounts."""
    about = Q(object_kind="person", object_id=str(person.pk)) | Q(actor_kind="person", actor_id=person.pk)
    return AuditEvent.objects.filter(about, account_id=None).order_by("-at", "-id")[:EVENTS_SHOWN]


def _described(found: QuerySet[Person], now: datetime) -> QuerySet[Person]:
    return found.annotate(
        token_count=number_of(_live_tokens(now).filter(person=OuterRef("pk"))),
        factor_count=number_of(requirement.factors_of(OuterRef("pk"))),
        single_sign_on=sign_in_ways.has_single_sign_on(),
    )


def _live_tokens(now: datetime) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now))
