"""A person's keys to the REST API."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, secrets
from accounts.errors import Invalid
from accounts.models import ApiToken
from accounts.names import TITLE_MAX, clean_title
from accounts.outage import in_passing
from accounts.peppers import digests
from accounts.principal import Principal

_USE_RESOLUTION = timedelta(minutes=1)


@transaction.atomic
def create(*, by: Principal, name: str, expires_at: datetime | None) -> tuple[ApiToken, str]:
    """(token, its text, shown this once)."""
    name = clean_title(name)
    if not name or len(name) > TITLE_MAX:
        raise Invalid.on("name", _("Name the token with 1 to %(most)s characters.") % {"most": TITLE_MAX})
    if expires_at and expires_at <= timezone.now():
        raise Invalid.on("expires_at", _("Choose a time in the future."))
    text = secrets.make(secrets.API_PREFIX)
    token = ApiToken.objects.create(person_id=by.person_id, name=name, digest=digests(text)[0],
                                    hint=secrets.hint(text), expires_at=expires_at)  # fmt: skip
    audit.record(by=by, action="api_token.created", kind="api_token", id=token.pk, label=name)
    return token, text


@transaction.atomic
def revoke(*, by: Principal, token: ApiToken) -> None:
    audit.record(by=by, action="api_token.revoked", kind="api_token", id=token.pk, label=token.name)
    token.delete()


def find(*, text: str, now: datetime) -> ApiToken | None:
    """The live token with this text, whose person is active; notes its use at most once a minute."""
    if not secrets.well_formed(text, secrets.API_PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("person")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest__in=digests(text), person__is_active=True)
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - _USE_RESOLUTION):
        with in_passing():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
