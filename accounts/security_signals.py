"""What allauth reports of persons' ways in becomes security events."""

from typing import Any

from allauth.account import signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import security_events, sign_ins
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import verbatim
from accounts.models import Person
from accounts.principal import Principal
from accounts.security_events import Kind
from accounts.views.request import principal_for, visitor

_FACTORS = {Authenticator.Type.TOTP: _("authenticator app"), Authenticator.Type.WEBAUTHN: _("passkey")}


@receiver(signals.user_logged_in)
def signed_in(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    how = sign_ins.how(get_authentication_records(request, user))
    sign_ins.note(person=user, by=_by(request, user), how=how)


@receiver(user_logged_out)
def signed_out(*, request: HttpRequest, user: Person | None, **_more: Any) -> None:
    if user:
        _note(request, user, Kind.SIGNED_OUT)


@receiver(signals.password_set)
def password_set(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    _note(request, user, Kind.PASSWORD_SET)


@receiver(signals.password_changed)
def password_changed(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    _note(request, user, Kind.PASSWORD_CHANGED)


@receiver(signals.password_reset)
def password_reset(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    _note(request, user, Kind.PASSWORD_RESET)


@receiver(signals.email_added)
def email_added(*, request: HttpRequest, user: Person, email_address: EmailAddress, **_more: Any) -> None:
    _note(request, user, Kind.EMAIL_ADDED, email_address.email)


@receiver(signals.email_changed)
def email_changed(
    *, request: HttpRequest, user: Person, to_email_address: EmailAddress, **_more: Any
) -> None:
    _note(request, user, Kind.EMAIL_CHANGED, to_email_address.email)


@receiver(signals.email_removed)
def email_removed(*, request: HttpRequest, user: Person, email_address: EmailAddress, **_more: Any) -> None:
    _note(request, user, Kind.EMAIL_REMOVED, email_address.email)


@receiver(mfa_signals.authenticator_added)
def factor_added(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _note(request, user, Kind.RECOVERY_CODES_CREATED)
    else:
        _note(request, user, Kind.FACTOR_ADDED, _factor(authenticator))


@receiver(mfa_signals.authenticator_removed)
def factor_removed(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:  # they go with the last factor
        _note(request, user, Kind.FACTOR_REMOVED, _factor(authenticator))


@receiver(mfa_signals.authenticator_reset)
def recovery_codes_created(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    _note(request, user, Kind.RECOVERY_CODES_CREATED)


@receiver(mfa_signals.authenticator_used)
def factor_used(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _note(request, user, Kind.RECOVERY_CODE_USED)


@receiver(mfa_signals.authentication_failed)
def factor_failed(*, request: HttpRequest, user: Person, **_more: Any) -> None:
    """By somebody who knows the password."""
    detail = _("wrong second factor")
    by = visitor(request.META)
    security_events.note(person_id=user.pk, kind=Kind.SIGN_IN_FAILED, by=by, detail=detail)


def _note(request: HttpRequest, user: Person, kind: security_events.Kind, detail: str = "") -> None:
    security_events.note(person_id=user.pk, kind=kind, by=_by(request, user), detail=detail)


def _by(request: HttpRequest, user: Person) -> Principal:
    return principal_for(user, request.META)


def _factor(authenticator: Authenticator) -> str:
    if authenticator.type == Authenticator.Type.WEBAUTHN:
        return _("passkey “%(name)s”", name=verbatim(str(authenticator.wrap().name)))
    return _FACTORS.get(authenticator.type, "")
