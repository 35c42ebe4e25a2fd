"""Suspending an account: an operator's act, until one restores it. Its pages, its members and the sync go on."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import Account
from accounts.principal import Principal


@transaction.atomic
def suspend(*, by: Principal, account: Account) -> None:
    """Refuse its users every token, and everybody its public images. Raise Conflict when it is closed.

    Tokens that were issued before are good until they end (TOKEN_TTL_SECONDS).
    """
    row = _locked(account)
    if not row.suspended_at:
        row.suspended_at = timezone.now()
        row.save(update_fields=["suspended_at"])
        _record(by, AuditAction.ACCOUNT_SUSPENDED, row)


@transaction.atomic
def restore(*, by: Principal, account: Account) -> timedelta:
    """Let its users get tokens again. Return how long it was suspended. Raise Conflict when it is closed."""
    row = _locked(account)
    if not row.suspended_at:
        return timedelta()
    lasted = timezone.now() - row.suspended_at
    row.suspended_at = None
    row.save(update_fields=["suspended_at"])
    _record(by, AuditAction.ACCOUNT_RESTORED, row)
    return lasted


def _locked(account: Account) -> Account:
    row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if row.closed_at:
        raise Conflict.on("", _("The account is closed."))
    return row


def _record(by: Principal, action: AuditAction, account: Account) -> None:
    audit.record(by=by, action=action, kind="account", id=account.pk, label=account.name, account=account)
