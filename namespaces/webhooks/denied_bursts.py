"""Tells webhooks of a user whose requests were denied many times: a job with an old password, or somebody who tries.

Counts are compared once a minute, where a webhook wants to know; the token server knows nothing of it. Of each user two
counts are kept, of which the older is from five to ten minutes ago: a burst is seen wherever it begins.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Min, QuerySet, Sum

from accounts.common.batches import BATCH
from accounts.models import Denial, RegistryUser
from namespaces.models import DenialWatch, Webhook
from namespaces.webhooks import outbox
from namespaces.webhooks.event_types import EventType

DENIALS: Final = 20
WITHIN: Final = timedelta(minutes=10)
REST: Final = timedelta(hours=1)  # after one was told of a user


def wanted() -> bool:
    """Return whether a webhook wants to be told."""
    return bool(_accounts())


def look(*, now: datetime) -> int:
    """Compare the counts of who was denied lately with those of before. Return how many bursts were told."""
    accounts = _accounts()
    _begin(accounts, now)
    watched = DenialWatch.objects.filter(user__account__in=accounts, user__denials__last_at__gt=now - WITHIN)
    return sum(_compare(pk, now) for pk in watched.order_by("pk").values_list("pk", flat=True).distinct())


def _accounts() -> set[int]:
    """Return the accounts of which a webhook wants to know."""
    hooks = Webhook.objects.filter(
        enabled=True, namespace=None, account__closed_at=None, account__suspended_at=None
    )
    rows = hooks.values_list("account", "event_types")
    return {account for account, types in rows if EventType.USER_DENIED in types}


def _begin(accounts: Collection[int], now: datetime) -> None:
    """Watch users that nobody watches yet. Of whoever was first denied something long ago, only what is new counts."""
    denials = Denial.objects.filter(user__account__in=accounts, user__denial_watch=None).order_by()
    counts = denials.values_list("user").annotate(Sum("count"), Min("first_at"))
    new = [
        DenialWatch(user_id=user, count=known, count_before=known, counted_at=now)
        for user, total, first_at in counts
        for known in [total if first_at < now - WITHIN else 0]
    ]
    DenialWatch.objects.bulk_create(new, BATCH, ignore_conflicts=True)


@transaction.atomic
def _compare(pk: int, now: datetime) -> bool:
    rows = DenialWatch.objects.select_for_update(of=("self",)).select_related("user__account")
    watch = rows.filter(pk=pk).first()
    if not watch:
        return False  # deleted with its user
    denials = Denial.objects.filter(user=watch.user)
    total = denials.order_by().aggregate(total=Sum("count"))["total"] or 0
    if now - watch.counted_at > WITHIN:  # nothing was denied for long
        watch.count_before = watch.count
    # Some are forgotten.
    watch.count, watch.count_before = min(watch.count, total), min(watch.count_before, total)
    number = total - watch.count_before
    told = number >= DENIALS and not (watch.told_at and watch.told_at > now - REST)
    if told:
        watch.told_at = now
        _tell(watch.user, number, denials)
    if now - watch.counted_at >= WITHIN / 2:
        watch.counted_at, watch.count_before, watch.count = now, watch.count, total
    watch.save()
    return told


def _tell(user: RegistryUser, number: int, denials: QuerySet[Denial]) -> None:
    last = denials.order_by("-last_at", "-id").first()
    assert last
    data = {
        "user": user.username,
        "description": user.description,
        "denials": number,
        "lastAt": last.last_at.isoformat(),
        "repository": last.repository or None,
        "action": last.action or None,
        "reason": str(last.reason),
    }
    outbox.record(user.account, EventType.USER_DENIED, subject=user.username, data=data)
