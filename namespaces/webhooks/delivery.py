"""Delivers what waits in the outbox: at least once, in no promised order, each message with one id.

An attempt is written down before it is begun: what a killed worker had begun comes again after LEASE. A slow receiver
has a few places of its own and no more, and so has its account, so that nobody else waits for it.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from accounts import audit, notices
from accounts.audit_actions import AuditAction
from accounts.common import clock
from accounts.common.encryption import Undecryptable
from accounts.common.fair_share import in_turns
from accounts.common.lazy_text import lazy as _
from accounts.principal import SYSTEM
from namespaces.models import Webhook, WebhookDelivery
from namespaces.webhooks import messages, outbox, stored_secrets
from namespaces.webhooks.attempts import Next, Verdict, judge
from namespaces.webhooks.earlier_attempts import Attempt, and_another
from namespaces.webhooks.event_types import TEST, Format
from namespaces.webhooks.networks import webhook_networks
from namespaces.webhooks.sending import PANEL_FAILED, Outcome, Receiver, send
from namespaces.webhooks.shown_url import audit_label

LEASE: Final = timedelta(seconds=60)  # longer than an attempt takes
AT_ONCE: Final = 32
OF_ACCOUNT, OF_WEBHOOK, OF_FAILING = 4, 3, 1  # places at once
LOOKED_AT: Final = 200  # of what is due, to find something of each
State = WebhookDelivery.State

log = logging.getLogger(__name__)


def any_due() -> bool:
    return due(clock.now()).exists()


def deliver_due(*, seconds: float, alive: Callable[[], None] = lambda: None) -> int:
    """Deliver until nothing is due, and begin nothing after so many seconds. Return how many were delivered.

    `alive` is called each second at least.
    """
    ends = clock.now() + timedelta(seconds=seconds)
    running: dict[Future[Outcome], WebhookDelivery] = {}
    delivered = 0
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="webhook") as pool:
        while True:
            alive()
            now = clock.now()
            if now < ends:
                for row in _take(now, running.values()):
                    if begun := _begin(row, pool):
                        running[begun] = row
            if not running:
                return delivered
            done, _rest = wait(running, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                delivered += _keep(running.pop(future), future.result(), clock.now())


def due(now: datetime) -> QuerySet[WebhookDelivery]:
    """Return what is to be sent now. A webhook that is off is tested, and nothing else."""
    served = Q(webhook__account__closed_at=None, webhook__account__suspended_at=None)
    on = Q(webhook__enabled=True) | Q(event_type=TEST)
    return WebhookDelivery.objects.filter(served, on, due_at__lte=now, state=State.WAITING)


def neglected(now: datetime) -> QuerySet[WebhookDelivery]:
    """Return what is due for webhooks that were not tried lately. Anything else waits for its own slow receiver."""
    lately = Q(webhook__last_tried_at__gt=now - LEASE)
    return due(now).exclude(lately)


@dataclass(frozen=True, slots=True)
class _Candidate:
    pk: int
    webhook: int
    account: int
    last_problem: str

    @property
    def most(self) -> int:
        """How many of its webhook may be under way."""
        return OF_FAILING if self.last_problem else OF_WEBHOOK


def _take(now: datetime, running: Collection[WebhookDelivery]) -> list[WebhookDelivery]:
    """Take what fits beside what is running: in turns of accounts, the longest due first."""
    accounts = Counter(each.webhook.account_id for each in running)
    hooks = Counter(each.webhook_id for each in running)
    chosen: list[int] = []
    for each in _candidates(now, accounts, hooks):
        if len(running) + len(chosen) == AT_ONCE:
            break
        if accounts[each.account] < OF_ACCOUNT and hooks[each.webhook] < each.most:
            accounts[each.account] += 1
            hooks[each.webhook] += 1
            chosen.append(each.pk)
    if not chosen:
        return []
    rows = WebhookDelivery.objects.select_related("webhook__account").in_bulk(chosen)
    with transaction.atomic():  # one commit for all of them
        return [rows[pk] for pk in chosen if pk in rows and _claim(rows[pk], now)]


def _candidates(now: datetime, accounts: Mapping[int, int], hooks: Mapping[int, int]) -> Iterable[_Candidate]:
    """Return some of what is due: first of webhooks with nothing under way, however long others wait in line."""
    if sum(hooks.values()) >= AT_ONCE:
        return []
    full = [account for account, number in accounts.items() if number >= OF_ACCOUNT]
    rows = due(now).exclude(webhook__account__in=full).order_by("due_at", "id")
    columns = rows.values_list("pk", "webhook_id", "webhook__account_id", "webhook__last_problem")
    busy = list(hooks)
    found = [*columns.exclude(webhook__in=busy)[:LOOKED_AT]]
    if busy:
        found += columns.filter(webhook__in=busy)[:AT_ONCE]
    return in_turns([_Candidate(*each) for each in found], lambda each: each.account)


def _claim(row: WebhookDelivery, now: datetime) -> bool:
    """One worker alone; and an attempt is written down before it is begun."""
    mine = WebhookDelivery.objects.filter(pk=row.pk, attempts=row.attempts, state=State.WAITING)
    before = _with_last(row)
    row.attempts, row.tried_at = row.attempts + 1, now
    noted = mine.filter(due_at__lte=now).update(
        attempts=row.attempts,
        due_at=now + LEASE,
        tried_at=now,
        earlier_attempts=before,
        status=None,
        problem="",
        milliseconds=None,
        answer="",
    )
    return bool(noted)


def _with_last(row: WebhookDelivery) -> list[Any]:
    """Return the earlier attempts of a row that is tried again."""
    if not row.tried_at:
        return row.earlier_attempts
    last = Attempt(row.tried_at, row.status, row.problem, row.milliseconds, row.answer)
    return and_another(row.earlier_attempts, last)


def _begin(row: WebhookDelivery, pool: ThreadPoolExecutor) -> Future[Outcome] | None:
    """Return the attempt, begun; None where there is nothing to send."""
    try:
        message = messages.message_of(row)
        if message is None:  # it turned out to be something that nobody asked for
            WebhookDelivery.objects.filter(pk=row.pk).delete()
            return None
        receiver = _receiver(row.webhook)
    except Undecryptable as error:
        return _failed(error.message)
    except DatabaseError:
        raise
    except Exception:  # of one row: a later build may have written it
        log.exception("webhook %s", row.webhook_id)
        return _failed(PANEL_FAILED)
    return pool.submit(send, message, receiver)


def _receiver(hook: Webhook) -> Receiver:
    """Raise Undecryptable, and ValueError for a format that this build does not know."""
    kept = stored_secrets.decrypt(hook)
    previous = hook.previous_secret_until and hook.previous_secret_until > clock.now()
    signed_with = [kept.signing, kept.previous] if previous and kept.previous else [kept.signing]
    return Receiver(kept.url, Format(hook.format), kept.authorization, signed_with, webhook_networks())


def _failed(problem: str) -> Future[Outcome]:
    failed: Future[Outcome] = Future()
    failed.set_result(Outcome(None, problem, "", "", 0))
    return failed


@transaction.atomic
def _keep(row: WebhookDelivery, outcome: Outcome, now: datetime) -> bool:
    """Write down how the attempt went. Return whether it was delivered."""
    test = row.event_type == TEST
    counted = row.attempts - row.uncounted_attempts
    after = judge(outcome.status, counted, test=test, chance=random.random())  # noqa: S311
    state = {Verdict.DELIVERED: State.DELIVERED, Verdict.RETRY: State.WAITING}.get(
        after.verdict, State.FAILED
    )
    delivered = after.verdict is Verdict.DELIVERED
    mine = WebhookDelivery.objects.filter(pk=row.pk, state=State.WAITING)
    if not delivered:  # what arrived has arrived, also where another attempt has begun meanwhile
        mine = mine.filter(attempts=row.attempts, uncounted_attempts=row.uncounted_attempts)
    ours = mine.update(
        state=state,
        tried_at=row.tried_at,
        event_type=row.event_type,  # as it was sent
        due_at=now + after.wait if after.wait else None,
        status=outcome.status,
        problem=outcome.problem,
        request=outcome.request,
        answer=outcome.answer,
        milliseconds=outcome.milliseconds,
    )
    if ours:  # else it was deleted, or given to another worker meanwhile
        last = {"last_tried_at": now, "last_status": outcome.status, "last_problem": outcome.problem}
        last |= {"last_delivered_at": now} if delivered else {}
        Webhook.objects.filter(pk=row.webhook_id).update(**last)
        if not delivered:
            log.warning("webhook %s: %s", row.webhook_id, outcome.problem)
        if not delivered and not test:
            _disable_if_dead(row, after, outcome)
        if after.wait and not Webhook.objects.filter(pk=row.webhook_id, enabled=True).exists():
            outbox.hold_back(row.webhook)  # switched off meanwhile
    return delivered


def _disable_if_dead(row: WebhookDelivery, after: Next, outcome: Outcome) -> None:
    """Switch off what wants nothing more, and what took nothing since this message was written, for all its tries."""
    if after.verdict is Verdict.GONE:
        _disable(row.webhook, outcome.problem)
    elif after.verdict is Verdict.GIVE_UP:
        why = _(
            "Nothing could be delivered any more. The last of %(attempts)s attempts: %(problem)s",
            attempts=row.attempts,
            problem=outcome.problem,
        )
        _disable(row.webhook, why, unless_delivered_since=row.created_at)


def _disable(row: Webhook, why: str, *, unless_delivered_since: datetime | None = None) -> None:
    hook = Webhook.objects.select_for_update().get(pk=row.pk)
    delivered = hook.last_delivered_at
    if not hook.enabled or (delivered and unless_delivered_since and delivered > unless_delivered_since):
        return
    hook.enabled, hook.disabled_at, hook.disabled_reason = False, clock.now(), why
    hook.save(update_fields=["enabled", "disabled_at", "disabled_reason"])
    outbox.hold_back(hook)
    audit.record(by=SYSTEM, action=AuditAction.WEBHOOK_DISABLED, kind="webhook", id=hook.pk,
                 label=audit_label(hook.name, hook.url), account=row.account)  # fmt: skip
    notices.tell_managers(row.account, "webhook_disabled", {"webhook": hook, "why": why})


def forget_old(*, now: datetime) -> None:
    """Keep of what has ended the last WEBHOOK_LOG_KEPT of each webhook, and none for longer than 30 days.

    What waits for a webhook that is off is kept as long.
    """
    long_ago = now - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    _delete(WebhookDelivery.objects.filter(created_at__lt=long_ago))
    for hook in Webhook.objects.values_list("pk", flat=True):
        ended = WebhookDelivery.objects.filter(webhook=hook).exclude(state=State.WAITING).order_by("-id")
        last = ended.values_list("pk", flat=True)[settings.WEBHOOK_LOG_KEPT - 1 : settings.WEBHOOK_LOG_KEPT]
        if oldest := last.first():
            # An hour: who did it may be known late, and it must be seen that it was told.
            _delete(ended.filter(pk__lt=oldest, created_at__lt=now - timedelta(hours=1)))


def _delete(rows: QuerySet[WebhookDelivery]) -> None:
    """Delete some at a time: a statement that takes too long is broken off by the database, every time."""
    while ids := list(rows.order_by().values_list("pk", flat=True)[:5000]):
        WebhookDelivery.objects.filter(pk__in=ids).delete()
