"""Who must have a second factor, and taking a person's second factors away."""

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit, notices, security_events, session_store
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid
from accounts.models import Account, Person, SecurityEvent, SignInPolicy
from accounts.principal import Principal
from accounts.second_factor_policy import RequiredOf
from accounts.second_factors.requirement import factors_of, installation_rule


@transaction.atomic
def require_in_account(*, by: Principal, account: Account, required: bool) -> Account:
    """Close the account to members without a second factor, or open it. Raise Invalid for who has none themselves."""
    if required:
        _check_own(by)
    before = (
        Account.objects.select_for_update()
        .values_list("second_factor_required", flat=True)
        .get(pk=account.pk)
    )
    account.second_factor_required = required
    if before != required:
        account.save(update_fields=["second_factor_required"])
        audit.record(
            by=by, action=AuditAction.ACCOUNT_SECOND_FACTOR_CHANGED, kind="account", id=account.pk,
            label=account.name, account=account, before={"required": before}, after={"required": required},
        )  # fmt: skip
    return account


@transaction.atomic
def require_of(*, by: Principal, required_of: RequiredOf) -> RequiredOf:
    """Set of whom the installation requires one. Raise Invalid for who has none themselves."""
    if required_of is not RequiredOf.NOBODY:
        _check_own(by)
    row, _made = SignInPolicy.objects.select_for_update().get_or_create()
    before, row.second_factor = row.second_factor, required_of.value
    if before != row.second_factor:
        row.save(update_fields=["second_factor"])
        audit.record(
            by=by, action=AuditAction.SIGN_IN_SECOND_FACTOR_CHANGED, kind="sign_in_policy", label=required_of.value,
            before={"required_of": before}, after={"required_of": required_of.value},
        )  # fmt: skip
    return required_of


@transaction.atomic
def reset(*, by: Principal, person: Person) -> int:
    """Remove all of a person's second factors, end their sessions and tell them. Return how many factors there were.

    Where one is required, they set up a new one when they sign in next.
    """
    lock(person)
    count = factors_of(person).count()
    Authenticator.objects.filter(user=person).delete()  # recovery codes, too
    session_store.end_all_of(person)
    audit.record(
        by=by, action=AuditAction.PERSON_SECOND_FACTORS_RESET, kind="person", id=person.pk, label=person.email,
        before={"factors": count},
    )  # fmt: skip
    security_events.note(person_id=person.pk, kind=SecurityEvent.Kind.FACTORS_RESET, by=by)
    notices.tell(person, "second_factors_reset", {})
    return count


def lock(person: Person) -> None:
    """In the transaction that adds or removes a way in: the other of two at once waits, and then sees it."""
    Person.objects.select_for_update().get(pk=person.pk)


def members_without(account: Account) -> QuerySet[Person]:
    """Return whom the account is closed to as soon as it requires a second factor."""
    return _without(Person.objects.filter(memberships__account=account))


def shut_out_by(required_of: RequiredOf) -> QuerySet[Person]:
    """Return who must set one up at their next page, if this is required."""
    if required_of is RequiredOf.NOBODY:
        return Person.objects.none()
    operators = Q(is_staff=True) if required_of is RequiredOf.OPERATORS else Q()
    return _without(Person.objects.filter(operators))


def keeps(person: Person, factor: Authenticator) -> str:
    """Return who requires that the person keeps this factor, as it is the last one; "" for nobody.

    In the transaction that removes it: the other of two removals at once waits, and then finds one factor less.
    """
    lock(person)
    others = factors_of(person).exclude(pk=factor.pk)
    return "" if others.exists() else requires_of(person)


def requires_of(person: Person) -> str:
    """Return who requires a second factor of the person: the name of an account, "This installation", or ""."""
    rule = installation_rule()
    if rule is RequiredOf.EVERYBODY or (rule is RequiredOf.OPERATORS and person.is_staff):
        return _("This installation")
    accounts = Account.objects.filter(members__person=person, closed_at=None, second_factor_required=True)
    return accounts.values_list("name", flat=True).first() or ""


def _without(persons: QuerySet[Person]) -> QuerySet[Person]:
    return persons.filter(~Exists(factors_of(OuterRef("pk"))), is_active=True).order_by("email")


def _check_own(by: Principal) -> None:
    """Nobody shuts themselves out."""
    if not by.second_factor:
        raise Invalid.on("", _("Set up a second factor for yourself first, or you would lock yourself out."))
