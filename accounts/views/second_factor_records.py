"""Second factors in the audit log, and what a person must know at once (also accounts/security_signals.py)."""

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, notices
from accounts.audit_actions import AuditAction
from accounts.models import Person
from accounts.second_factors import codes
from accounts.views.request import principal_for

FEW = 3  # recovery codes


@receiver(signals.authenticator_added)
def added(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        _record(request, user, authenticator, AuditAction.PERSON_SECOND_FACTOR_ADDED)


@receiver(signals.authenticator_removed)
def removed(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        _record(request, user, authenticator, AuditAction.PERSON_SECOND_FACTOR_REMOVED)


@receiver(signals.authenticator_used)
def used(*, request: HttpRequest, user: Person, authenticator: Authenticator, **_more: Any) -> None:
    """Tell by mail of a recovery code: who has lost nothing knows by it that somebody else has one."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        return
    by, left = principal_for(user, request.META), codes.left(user)
    notices.tell(user, "recovery_code_used", {"left": left, "address": by.address, "client": by.client})
    if left <= FEW:
        messages.warning(request, _few(left))
    else:
        words = _("You used a recovery code; %(n)s are left. If a phone or key is lost, replace it under Two-factor "
                  "authentication.")  # fmt: skip
        messages.info(request, words % {"n": left})


def _few(left: int) -> str:
    if not left:
        return _("That was your last recovery code. Create new ones under Two-factor authentication.")
    words = ngettext(
        "You have %(n)s recovery code left. Create new ones under Two-factor authentication.",
        "You have %(n)s recovery codes left. Create new ones under Two-factor authentication.",
        left,
    )
    return words % {"n": left}


@transaction.atomic
def _record(request: HttpRequest, person: Person, factor: Authenticator, action: AuditAction) -> None:
    by = principal_for(person, request.META)
    audit.record(by=by, action=action, kind="second_factor", id=factor.pk or "", label=_name(factor))


def _name(factor: Authenticator) -> str:
    return str(factor.data["name"]) if factor.type == Authenticator.Type.WEBAUTHN else "authenticator app"
