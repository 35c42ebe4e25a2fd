"""Disables rules that count days when days went by in which nobody could pull: suddenly everything would be old."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts.common import clock
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.models import Account
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import service


@transaction.atomic
def disable_rules(leap: timedelta) -> None:
    """Disable them; people look at their preview before they enable them again."""
    why = ngettext(
        "The clock went ahead by %(n)s day, or no worker ran for so long. This rule counts days and might remove what "
        "is still needed, so it was turned off. Preview it, then turn it on again.",
        "The clock went ahead by %(n)s days, or no worker ran for so long. This rule counts days and might remove what "
        "is still needed, so it was turned off. Preview it, then turn it on again.",
        leap.days,
    )
    _disable(Q(), why, {"clock_ahead_days": leap.days})


@transaction.atomic
def disable_rules_of(account: Account, suspended: timedelta) -> None:
    """Disable those of an account that was suspended for so long, which is at least a day."""
    why = ngettext(
        "The account was suspended for %(n)s day, in which nobody could pull. This rule counts days and might remove "
        "what is still needed, so it was turned off. Preview it, then turn it on again.",
        "The account was suspended for %(n)s days, in which nobody could pull. This rule counts days and might remove "
        "what is still needed, so it was turned off. Preview it, then turn it on again.",
        suspended.days,
    )
    _disable(Q(namespace__account=account), why, {"suspended_days": suspended.days})


def _disable(of: Q, why: str, facts: dict[str, int]) -> None:
    rows = RetentionRule.objects.select_for_update(of=("self",)).select_related("namespace__account")
    counting = Q(keep_days__gt=0) | Q(keep_pulled_days__gt=0)
    for row in rows.filter(of, counting, enabled=True).order_by("pk"):
        service.disable_by_system(row, why, facts)
        RetentionRun.objects.create(
            rule=row, state=RetentionRun.State.SKIPPED, problem=why, finished_at=clock.now()
        )
