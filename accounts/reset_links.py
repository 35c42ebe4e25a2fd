"""A link with which a person sets a new password, made by an operator: by mail, or shown once where there is none."""

from typing import Final

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit, security_events, sign_in_ways
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import Person, SecurityEvent
from accounts.principal import Principal

VALID_DAYS: Final = settings.PASSWORD_RESET_TIMEOUT // (24 * 60 * 60)


def by_mail() -> bool:
    return bool(settings.EMAIL_URL)


def problem(person: Person) -> str:
    """Why the person gets no link; "" when they can have one."""
    if not person.is_active:
        return _("A disabled person cannot sign in. Enable them first.")
    if sign_in_ways.signs_in_by_provider_only(person):
        return _("This person signs in by single sign-on only and has no password here.")
    return ""


@transaction.atomic
def create(*, by: Principal, person: Person) -> str:
    """Mail the link and return "", or return it where there is no mail server. Raise Conflict, Unavailable."""
    if why := problem(person):
        raise Conflict.on("", why)
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    uid = user_pk_to_url_str(person)
    url = settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    mailed = by_mail()
    audit.record(
        by=by, action=AuditAction.PERSON_RESET_LINK_MADE, kind="person", id=person.pk, label=person.email,
        after={"mailed": mailed},
    )  # fmt: skip
    security_events.note(person_id=person.pk, kind=SecurityEvent.Kind.RESET_LINK_SENT, by=by)
    if not mailed:
        return url
    words = {"user": person, "password_reset_url": url, "uid": uid, "key": key}
    get_adapter().send_password_reset_mail(person, person.email, words)
    return ""
