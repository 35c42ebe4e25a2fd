"""Rules that count days go off when time makes a leap: by a clock that ran away everything is old."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.common import clock
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import service


@transaction.atomic
def switch_off(leap: timedelta) -> None:
    """Until somebody has looked at what they would remove now."""
    why = _(
        "The clock went ahead by %(days)s days, or no worker ran for so long. By days this rule might remove what is "
        "still needed, so it was turned off. Preview it, then turn it on again."
    ) % {"days": leap.days}
    rows = RetentionRule.objects.select_for_update(of=("self",)).select_related("namespace__account")
    for row in rows.filter(Q(keep_days__gt=0) | Q(keep_pulled_days__gt=0), enabled=True).order_by("pk"):
        service.switch_off(row, why)
        RetentionRun.objects.create(
            rule=row, state=RetentionRun.State.SKIPPED, problem=why, finished_at=clock.now()
        )
