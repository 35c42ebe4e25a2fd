"""A person's keys to the REST API."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, credentials, expiry, limits, security_events
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid
from accounts.models import Account, ApiToken, Person
from accounts.names import TITLE_MAX, clean_title
from accounts.peppers import peppers
from accounts.principal import Principal
from accounts.second_factors import requirement
from accounts.security_events import Kind

LONGEST = timedelta(days=366)  # without the password


def needs_confirmation(*, scope: str, as_operator: bool, expires_at: datetime | None, now: datetime) -> bool:
    """Whether a session that was left open is not enough to make it."""
    return scope != ApiToken.Scope.READ or as_operator or outlives(expires_at, now)


def outlives(expires_at: datetime | None, now: datetime) -> bool:
    """Whether it lasts longer than LONGEST."""
    return expires_at is None or expires_at > now + LONGEST


@transaction.atomic
def create(
    *,
    by: Principal,
    name: str,
    expires_at: datetime | None,
    scope: str = ApiToken.Scope.MANAGE,
    account: Account | None = None,
    as_operator: bool = False,
    confirmed: bool = False,
) -> tuple[ApiToken, str]:
    """(token, its text, shown this once).

    `account`: the only one that it reaches, loaded through the membership. `confirmed`: the person has just signed in
    again.
    """
    name = clean_title(name)
    if not name or len(name) > TITLE_MAX:
        raise Invalid.on(
            "name", _("Give the token a name of 1 to %(most)s characters.") % {"most": TITLE_MAX}
        )
    if expires_at and expires_at <= timezone.now():
        raise Invalid.on("expires_at", _("Select a time in the future."))
    if expires_at:
        expiry.check(expires_at)
    if as_operator and not by.operator:
        raise Invalid.on("as_operator", _("You are not an operator."))
    if as_operator and account:
        raise Invalid.on("as_operator", _("A token that acts as operator cannot be limited to one account."))
    if not confirmed:
        _refuse_unconfirmed(scope, expires_at, as_operator=as_operator)
    limits.make_room(limits.API_TOKENS, Person.objects.get(pk=by.person_id), field="name")
    text = credentials.make(credentials.API_PREFIX)
    token = ApiToken.objects.create(person_id=by.person_id, name=name, digest=credentials.digests(text, peppers())[0],
                                    hint=credentials.hint(text), expires_at=expires_at, scope=scope,
                                    account=account, as_operator=as_operator)  # fmt: skip
    after = {"scope": scope, "account": account.handle if account else None, "as_operator": as_operator}
    audit.record(
        by=by, action=AuditAction.API_TOKEN_CREATED, kind="api_token", id=token.pk, label=name, after=after
    )
    security_events.note(person_id=by.person_id, kind=Kind.API_TOKEN_CREATED, by=by, detail=name)
    return token, text


def _refuse_unconfirmed(scope: str, expires_at: datetime | None, *, as_operator: bool) -> None:
    if outlives(expires_at, timezone.now()):
        raise Invalid.on(
            "expires_at",
            _(
                "A token that is valid for more than a year can only be created on the API tokens page, "
                "which asks for your password."
            ),
        )
    if as_operator:
        raise Invalid.on(
            "as_operator",
            _(
                "A token that acts as operator can only be created on the API tokens page, which asks for your "
                "password."
            ),
        )
    if scope != ApiToken.Scope.READ:
        raise Invalid.on(
            "scope",
            _(
                "A token with the scope “manage” can only be created on the API tokens page, which asks for your "
                "password."
            ),
        )


@transaction.atomic
def revoke(*, by: Principal, token: ApiToken) -> None:
    audit.record(by=by, action=AuditAction.API_TOKEN_REVOKED, kind="api_token", id=token.pk, label=token.name)
    security_events.note(person_id=token.person_id, kind=Kind.API_TOKEN_REVOKED, by=by, detail=token.name)
    token.delete()


@transaction.atomic
def revoke_all(*, by: Principal) -> None:
    for token in ApiToken.objects.select_for_update().filter(person_id=by.person_id):
        revoke(by=by, token=token)


def find(*, text: str, now: datetime) -> ApiToken | None:
    """Return the live token with this text, whose person is active."""
    if not credentials.well_formed(text, credentials.API_PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("person", "account")
        .annotate(**requirement.annotations("person"))
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=now),
            digest__in=credentials.digests(text, peppers()),
            person__is_active=True,
        )
        .first()
    )
    if token:
        requirement.hand_over(token, token.person)
    return token
