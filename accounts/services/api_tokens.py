"""A person's keys to the REST API."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, credentials, expiry, limits
from accounts.audit_actions import AuditAction
from accounts.common.database_errors import in_passing
from accounts.common.errors import Invalid
from accounts.models import ApiToken, Person
from accounts.names import TITLE_MAX, clean_title
from accounts.peppers import peppers
from accounts.principal import Principal

_USE_RESOLUTION = timedelta(minutes=1)
LONGEST = timedelta(days=366)  # without the password


def outlives(expires_at: datetime | None, now: datetime) -> bool:
    """Whether it lasts so long that a session left open is not enough to make it."""
    return expires_at is None or expires_at > now + LONGEST


@transaction.atomic
def create(
    *, by: Principal, name: str, expires_at: datetime | None, confirmed: bool = False
) -> tuple[ApiToken, str]:
    """(token, its text, shown this once). `confirmed`: the person has just given the password."""
    name = clean_title(name)
    if not name or len(name) > TITLE_MAX:
        raise Invalid.on(
            "name", _("Give the token a name of 1 to %(most)s characters.") % {"most": TITLE_MAX}
        )
    if expires_at and expires_at <= timezone.now():
        raise Invalid.on("expires_at", _("Select a time in the future."))
    if expires_at:
        expiry.check(expires_at)
    if outlives(expires_at, timezone.now()) and not confirmed:
        raise Invalid.on(
            "expires_at",
            _(
                "A token that is valid for more than a year can only be created on the API tokens page, "
                "which asks for your password."
            ),
        )
    limits.make_room(limits.API_TOKENS, Person.objects.get(pk=by.person_id), field="name")
    text = credentials.make(credentials.API_PREFIX)
    token = ApiToken.objects.create(person_id=by.person_id, name=name, digest=credentials.digests(text, peppers())[0],
                                    hint=credentials.hint(text), expires_at=expires_at)  # fmt: skip
    audit.record(by=by, action=AuditAction.API_TOKEN_CREATED, kind="api_token", id=token.pk, label=name)
    return token, text


@transaction.atomic
def revoke(*, by: Principal, token: ApiToken) -> None:
    audit.record(by=by, action=AuditAction.API_TOKEN_REVOKED, kind="api_token", id=token.pk, label=token.name)
    token.delete()


@transaction.atomic
def revoke_all(*, by: Principal) -> None:
    for token in ApiToken.objects.select_for_update().filter(person_id=by.person_id):
        revoke(by=by, token=token)


def find(*, text: str, now: datetime) -> ApiToken | None:
    """Return the live token with this text, whose person is active; note its use at most once a minute."""
    if not credentials.well_formed(text, credentials.API_PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("person")
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=now),
            digest__in=credentials.digests(text, peppers()),
            person__is_active=True,
        )
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - _USE_RESOLUTION):
        with in_passing():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
