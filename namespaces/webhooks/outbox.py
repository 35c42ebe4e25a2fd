"""Writes what webhooks are told into the outbox, in the transaction of what happened.

Which accounts have webhooks comes with the image's rows, so that a push costs nothing where there is none. Of a tag
that a check finds new nobody knows when it came, and a registry that was adopted is full of them: it is told when the
registry reports its push.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F

from accounts.common import clock
from accounts.common.batches import BATCH
from accounts.models import Account
from namespaces.models import Image, Namespace, TagHistoryEntry, Webhook, WebhookDelivery
from namespaces.names import is_technical
from namespaces.webhooks.event_types import PUSHES, TEST, EventType

# What was seen before anybody said who did it: the registry reports that soon, or the worker that does it here.
NAMED_WITHIN: Final = timedelta(seconds=5)
How = TagHistoryEntry.How


def record_moves(new: Sequence[TagHistoryEntry], named: Sequence[TagHistoryEntry] = ()) -> None:
    """Write a message for each webhook that is to be told of these entries, which are stored.

    `named`: entries that are older, and of which it is known only now who made them; they may have been told already.
    """
    moves = [each for each in new if _tells(each)] + [each for each in named if not is_technical(each.tag)]
    hooks = _hooks_of(moves) if moves else {}
    if not hooks:
        return
    told = _told({each.pk for each in named} & {each.pk for each in moves})
    now = clock.now()
    rows = [
        _delivery(hook, move, now + (timedelta() if move.by else NAMED_WITHIN))
        for move in moves
        for hook in hooks.get(move.image.namespace_id, ())
        if _wants(hook, move) and (hook.pk, move.pk) not in told
    ]
    WebhookDelivery.objects.bulk_create(rows, BATCH)


def record(
    account: Account,
    event_type: EventType,
    *,
    subject: str,
    data: Mapping[str, Any],
    namespace: int | None = None,
    image_name: str = "",
) -> int:
    """Write a message about something else, of a namespace or of an image of it where given. Return how many."""
    if not account.has_webhooks:
        return 0
    hooks = Webhook.objects.filter(account=account, enabled=True)
    now = clock.now()
    rows = [
        WebhookDelivery(
            webhook=hook, event_type=event_type, subject=subject[:400], data=dict(data), due_at=now
        )
        for hook in hooks
        if event_type in hook.event_types and _covers(hook, namespace, image_name)
    ]
    WebhookDelivery.objects.bulk_create(rows, BATCH)
    return len(rows)


def hold_back(hook: Webhook) -> None:
    """Have nothing due of what waits for a webhook that is off, except a test: nobody looks at it each second."""
    waiting = WebhookDelivery.objects.filter(webhook=hook, state=WebhookDelivery.State.WAITING)
    waiting.exclude(event_type=TEST).update(due_at=None)


def release(hook: Webhook) -> None:
    """Have sent what waited while it was off, as if it were new."""
    waiting = WebhookDelivery.objects.filter(webhook=hook, state=WebhookDelivery.State.WAITING)
    waiting.update(due_at=clock.now(), uncounted_attempts=F("attempts"))


def type_of(how: str, digest: str) -> EventType:
    """Return what a move of a tag is told as; `digest`: what the tag points at then, "" for nothing."""
    if not digest:
        return EventType.TAG_DELETED
    return EventType.IMAGE_RESTORED if how == How.PANEL else EventType.IMAGE_PUSHED


def _tells(move: TagHistoryEntry) -> bool:
    return not is_technical(move.tag) and not (move.how == How.FOUND and not move.old)


def _hooks_of(moves: Iterable[TagHistoryEntry]) -> dict[int, list[Webhook]]:
    """Return namespace → enabled webhooks of its account."""
    accounts = _accounts({move.image for move in moves})
    if not accounts:
        return {}
    hooks: dict[int, list[Webhook]] = defaultdict(list)
    for hook in Webhook.objects.filter(account__in=set(accounts.values()), enabled=True).order_by("id"):
        hooks[hook.account_id].append(hook)
    return {namespace: hooks[account] for namespace, account in accounts.items()}


def _accounts(images: Collection[Image]) -> dict[int, int]:
    """Return namespace → its account, of those that have webhooks. Rows that came with the images cost nothing."""
    loaded = [each.namespace for each in images if _has_account(each)]
    rest = {each.namespace_id for each in images} - {each.pk for each in loaded}
    found = {each.pk: each.account_id for each in loaded if each.account.has_webhooks}
    if rest:
        rows = Namespace.objects.filter(pk__in=rest, account__has_webhooks=True)
        found |= dict(rows.values_list("pk", "account_id"))
    return found


def _has_account(image: Image) -> bool:
    return Image.namespace.is_cached(image) and Namespace.account.is_cached(image.namespace)


def _wants(hook: Webhook, move: TagHistoryEntry) -> bool:
    if not _covers(hook, move.image.namespace_id, move.image.name):
        return False
    event_type = type_of(move.how, move.new)
    # Without a name it may yet turn out to be restored here: which of the two it is, is seen when it is sent.
    possible = PUSHES if event_type in PUSHES and not move.by else {event_type}
    return not possible.isdisjoint(hook.event_types)


def _covers(hook: Webhook, namespace: int | None, image_name: str) -> bool:
    return hook.namespace_id is None or (
        hook.namespace_id == namespace and hook.image_name in ("", image_name)
    )


def _told(entries: Collection[int]) -> set[tuple[int, int | None]]:
    if not entries:
        return set()
    rows = WebhookDelivery.objects.filter(history_id__in=entries)
    return set(rows.values_list("webhook_id", "history_id"))


def _delivery(hook: Webhook, move: TagHistoryEntry, due_at: datetime) -> WebhookDelivery:
    image = move.image
    return WebhookDelivery(
        webhook=hook,
        event_type=type_of(move.how, move.new),
        subject=f"{image.repository}:{move.tag}",
        data={
            "namespace": image.namespace.name,
            "image": image.name,
            "tag": move.tag,
            "digest": move.new,
            "previous_digest": move.old,
            "at": move.at.isoformat(),
            "by": move.by,
            "public": image.namespace.public,
        },
        history_id=move.pk,
        due_at=due_at,
    )
