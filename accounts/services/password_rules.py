"""An account's rules for passwords of its users: how long they may live, and whether a user may rotate its own."""

from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, expiry
from accounts.audit_actions import AuditAction
from accounts.common import timestamps
from accounts.common.errors import Invalid
from accounts.models import Account
from accounts.names import EXPIRY_DAYS, LONGEST_LIFE_DAYS_MAX
from accounts.principal import Principal


class PasswordRules(TypedDict, total=False):
    longest_life_days: int | None  # None: any end, or none
    self_rotation: bool


@transaction.atomic
def change(*, by: Principal, account: Account, **rules: Unpack[PasswordRules]) -> Account:
    """Change what is given. What lives longer already is not cut: pages show it. Raise Invalid."""
    days = rules.get("longest_life_days")
    if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS_MAX:
        raise Invalid.on(
            "longest_life_days", _("Select 1 to %(most)s days.") % {"most": LONGEST_LIFE_DAYS_MAX}
        )
    account.refresh_from_db(fields=[*_facts(account)], from_queryset=Account.objects.select_for_update())
    before = _facts(account)
    for name, value in rules.items():
        setattr(account, name, value)
    if (after := _facts(account)) != before:
        account.save(update_fields=[*after])
        audit.record(
            by=by, action=AuditAction.ACCOUNT_PASSWORD_RULES_CHANGED, kind="account", id=account.pk,
            label=account.name, account=account, before=before, after=after,
        )  # fmt: skip
    return account


def latest_end(account: Account, now: datetime) -> datetime | None:
    """Return the latest end that a user or password may be given: 24:00 of the account's last day; None for any."""
    if account.longest_life_days is None:
        return None
    zone = timezone.get_default_timezone()
    last = (now + timedelta(days=account.longest_life_days)).astimezone(zone).date()
    return timestamps.end_of(last, zone)


def usual_end(account: Account, now: datetime) -> datetime:
    """Return when a user ends of which nobody says."""
    return now + timedelta(days=min(EXPIRY_DAYS, account.longest_life_days or EXPIRY_DAYS))


def check_end(account: Account, moment: datetime | None) -> None:
    """Raise Invalid on `expires_at` for an end that is later than the account allows, and for none."""
    latest, days = latest_end(account, timezone.now()), account.longest_life_days
    if latest and days and (moment is None or moment > latest):
        words = ngettext(
            "This account allows at most %(days)s day: select a day until %(day)s.",
            "This account allows at most %(days)s days: select a day until %(day)s.",
            days,
        )
        raise Invalid.on("expires_at", words % {"days": days, "day": expiry.ending(latest)})


def _facts(account: Account) -> dict[str, int | bool | None]:
    return {"longest_life_days": account.longest_life_days, "self_rotation": account.self_rotation}
