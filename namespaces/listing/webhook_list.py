"""Webhooks of an account, or those that are told of one namespace or image; and what was sent to one."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.common.pagination import Page, paginate
from accounts.common.translation import translate
from accounts.models import Account
from namespaces.models import Image, Namespace, Webhook, WebhookDelivery
from namespaces.webhooks import earlier_attempts
from namespaces.webhooks.earlier_attempts import Attempt
from namespaces.webhooks.event_types import LABELS, TEST, EventType
from namespaces.webhooks.shown_message import readable
from namespaces.webhooks.state_text import StateText, attempt_state, delivery_state, webhook_state

DELIVERIES_A_PAGE = 20
_LONG = ("data", "request", "answer", "earlier_attempts")
STATES = [state.value for state in WebhookDelivery.State]


@dataclass(frozen=True, slots=True)
class WebhookRow:
    webhook: Webhook
    state: StateText
    events: list[str]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    attempt: Attempt
    state: StateText
    answer: str  # readable


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: WebhookDelivery
    state: StateText
    event: str


def webhooks_of(account: Account) -> QuerySet[Webhook]:
    return Webhook.objects.filter(account=account).select_related("namespace").order_by("id")


def webhooks_about(namespace: Namespace, image: Image | None = None) -> QuerySet[Webhook]:
    """Return those that are told of this namespace or of an image of it; with `image`, of this image."""
    inside = Q(namespace=namespace)
    if image:
        inside &= Q(image_name__in=["", image.name])
    return webhooks_of(namespace.account).filter(Q(namespace=None) | inside)


def webhook_rows(webhooks: QuerySet[Webhook], account: Account) -> list[WebhookRow]:
    found = list(webhooks)
    for each in found:
        each.account = account
    return [WebhookRow(each, state_of(each), events_of(each)) for each in found]


def state_of(webhook: Webhook) -> StateText:
    return webhook_state(
        enabled=webhook.enabled,
        reason=webhook.disabled_reason,
        tried=webhook.last_tried_at is not None,
        status=webhook.last_status,
        problem=webhook.last_problem,
    )


def events_of(webhook: Webhook) -> list[str]:
    return [event_text(each) for each in webhook.event_types]


def event_text(event_type: str) -> str:
    """Return its label; the type itself where a later build wrote it."""
    if event_type == TEST:
        return _("A test")
    try:
        return translate(LABELS[EventType(event_type)])
    except ValueError:
        return event_type


def deliveries_of(webhook: Webhook, state: str = "") -> QuerySet[WebhookDelivery]:
    """Return them without what was sent and answered, the newest first."""
    found = WebhookDelivery.objects.filter(webhook=webhook).defer(*_LONG).order_by("-id")
    return found.filter(state=state) if state else found


def delivery_page(webhook: Webhook, *, state: str, cursor: str) -> Page[WebhookDelivery]:
    return paginate(
        deliveries_of(webhook, state), cursor=cursor, size=DELIVERIES_A_PAGE, query={"state": state}
    )


def delivery_rows(webhook: Webhook, deliveries: list[WebhookDelivery]) -> list[DeliveryRow]:
    return [delivery_row(webhook, each) for each in deliveries]


def delivery_row(webhook: Webhook, delivery: WebhookDelivery) -> DeliveryRow:
    state = delivery_state(
        state=delivery.state,
        enabled=webhook.enabled or delivery.event_type == TEST,
        attempts=delivery.attempts,
        status=delivery.status,
        problem=delivery.problem,
    )
    return DeliveryRow(delivery, state, event_text(delivery.event_type))


def earlier_rows(delivery: WebhookDelivery) -> list[AttemptRow]:
    """Return the attempts before the last one, the newest first."""
    return [
        AttemptRow(each, attempt_state(status=each.status, problem=each.problem), readable(each.answer))
        for each in reversed(earlier_attempts.read(delivery.earlier_attempts))
    ]
