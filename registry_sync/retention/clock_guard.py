"""Disables rules that count days when the clock leaps ahead: suddenly everything would be old."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts.common import clock
from accounts.common.lazy_text import lazy_plural as ngettext
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
    rows = RetentionRule.objects.select_for_update(of=("self",)).select_related("namespace__account")
    for row in rows.filter(Q(keep_days__gt=0) | Q(keep_pulled_days__gt=0), enabled=True).order_by("pk"):
        service.disable_by_system(row, why, {"clock_ahead_days": leap.days})
        RetentionRun.objects.create(
            rule=row, state=RetentionRun.State.SKIPPED, problem=why, finished_at=clock.now()
        )
