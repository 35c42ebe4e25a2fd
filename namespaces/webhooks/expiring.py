"""Tells webhooks what ends soon, on the days on which people get a mail about it (namespaces/expiry_mail.py)."""

from datetime import date, datetime, timedelta, tzinfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.common import milestones, timestamps
from namespaces import expiry_mail
from namespaces.expiry_mail import MORNING, Ending
from namespaces.models import Webhook, WebhookDelivery
from namespaces.webhooks.event_types import EventType


def tell_due(*, now: datetime) -> int:
    """Write the messages of today into the outbox. Return how many."""
    zone = timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    if now.astimezone(zone).hour < MORNING:
        return 0
    hooks = [hook for hook in _untold(today) if EventType.USER_EXPIRING in hook.event_types]
    if not hooks:
        return 0
    until = timestamps.end_of(today + timedelta(days=max(milestones.MILESTONES)), zone)
    endings = list(expiry_mail.endings(now, until, accounts={hook.account_id for hook in hooks}))
    return sum(_tell(hook, endings, today, zone) for hook in hooks)


def _untold(today: date) -> list[Webhook]:
    untold = Q(expiry_told_on=None) | Q(expiry_told_on__lt=today)
    served = Q(enabled=True, namespace=None, account__closed_at=None, account__suspended_at=None)
    return list(Webhook.objects.filter(untold, served).order_by("pk"))


@transaction.atomic
def _tell(hook: Webhook, endings: list[Ending], today: date, zone: tzinfo) -> int:
    """One worker alone; a day without a worker is made up for."""
    since = (today - hook.expiry_told_on).days if hook.expiry_told_on else None
    mine = Webhook.objects.filter(Q(expiry_told_on=None) | Q(expiry_told_on__lt=today), pk=hook.pk)
    if not mine.update(expiry_told_on=today):
        return 0
    rows = [
        WebhookDelivery(
            webhook=hook, event_type=EventType.USER_EXPIRING, subject=each.user.username, data=data
        )
        for each in endings
        if each.user.account_id == hook.account_id
        for left in [expiry_mail.days_left(each.at, today, zone)]
        if milestones.is_due(left, since)
        for data in [_data(each, left)]
    ]
    WebhookDelivery.objects.bulk_create(rows)
    return len(rows)


def _data(ending: Ending, left: int) -> dict[str, object]:
    what = "password" if ending.secret else "permission" if ending.grant else "user"
    return {
        "user": ending.user.username,
        "description": ending.user.description,
        "expiring": what,
        "password": ending.secret.shown if ending.secret else None,
        "permission": f"{ending.grant.word} {ending.grant.target}" if ending.grant else None,
        "expiresAt": ending.at.isoformat(),
        "daysLeft": left,
    }
