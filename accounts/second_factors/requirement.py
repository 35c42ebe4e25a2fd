"""Whether a person has a second factor, and whether one is required of them.

Whoever loads a person for a request brings both along (accounts/backends.py, accounts/services/api_tokens.py), so that
no page and no call asks by a statement of its own.
"""

from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts.common.errors import Forbidden
from accounts.models import Account, Person, SignInPolicy
from accounts.principal import Principal
from accounts.second_factor_policy import RequiredOf, is_account_closed, is_shut_out

# Recovery codes stand in for one of these, and are none alone.
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
HAS_FACTOR: Final = "has_second_factor"
REQUIRED_OF: Final = "second_factor_required_of"
# Of `accounts_person p`, for statements that are written by hand: whether they have one, and what brings both along.
HAS_FACTOR_SQL: Final = """EXISTS (SELECT 1 FROM mfa_authenticator f
  WHERE f.user_id = p.id AND f.type IN ('totp', 'webauthn'))"""
COLUMNS: Final = {
    HAS_FACTOR: f"CASE WHEN {HAS_FACTOR_SQL} THEN 1 ELSE 0 END",
    REQUIRED_OF: "(SELECT s.second_factor FROM accounts_signinpolicy s)",
}


class SecondFactorRequired(Forbidden):
    """Pages lead to where one is set up; the API says so."""

    code = "second_factor_required"


def factors_of(person: Any) -> QuerySet[Any]:
    """Return the second factors of a person, or of the one that an OuterRef leads to."""
    found: QuerySet[Any] = Authenticator.objects.filter(user=person, type__in=FACTORS)
    return found


def annotations(person: str) -> dict[str, Any]:
    """Return what brings them along with rows whose column `person` is a person's id; see `hand_over`."""
    rule = SignInPolicy.objects.values("second_factor")[:1]
    return {HAS_FACTOR: Exists(factors_of(OuterRef(person))), REQUIRED_OF: Subquery(rule)}


def hand_over(row: object, person: Person) -> None:
    """Give the person what `annotations` brought along with the row."""
    for name in (HAS_FACTOR, REQUIRED_OF):
        setattr(person, name, getattr(row, name))


def has_factor(person: Person) -> bool:
    brought = getattr(person, HAS_FACTOR, None)
    if brought is None:
        return factors_of(person).exists()
    return bool(brought)


def required_of(person: Person) -> RequiredOf:
    """Return the installation's rule, as it was when the person was loaded."""
    if not hasattr(person, REQUIRED_OF):
        return installation_rule()
    return RequiredOf(getattr(person, REQUIRED_OF) or RequiredOf.NOBODY)


def installation_rule() -> RequiredOf:
    found = SignInPolicy.objects.values_list("second_factor", flat=True).first()
    return RequiredOf(found or RequiredOf.NOBODY)


def shut_out(person: Person) -> bool:
    return is_shut_out(required_of(person), operator=person.is_staff, has_factor=has_factor(person))


def admit(person: Person) -> None:
    """Raise SecondFactorRequired for a person who is shut out of the whole installation."""
    if shut_out(person):
        raise SecondFactorRequired(
            _("This installation requires a second factor. Set one up in the panel: %(page)s.")
            % {"page": "/me/2fa/"}
        )


def admit_to(account: Account, by: Principal) -> None:
    """Raise SecondFactorRequired for a member without one, where the account requires it."""
    if is_account_closed(required=account.second_factor_required, has_factor=by.second_factor):
        words = {"account": account.name, "page": "/me/2fa/"}
        raise SecondFactorRequired(
            _("%(account)s requires a second factor. Set one up in the panel: %(page)s.") % words
        )


def admitting(accounts: list[Account], by: Principal) -> list[Account]:
    """Return those of the person's accounts that they get into."""
    return [
        each
        for each in accounts
        if not is_account_closed(required=each.second_factor_required, has_factor=by.second_factor)
    ]
