"""How a webhook stands, for its open pages (accounts/live_updates.py)."""

from django.http import HttpRequest

from accounts import live_updates
from accounts.live_updates import Thing
from namespaces.models import Webhook

live_updates.THINGS |= {
    "webhook": Thing(
        # An attempt moves both times: the row's when it begins, the webhook's when it has ended.
        "w.enabled, w.last_tried_at, (SELECT MAX(d.id) FROM namespaces_webhookdelivery d WHERE d.webhook_id = w.id),"
        " (SELECT MAX(d.tried_at) FROM namespaces_webhookdelivery d WHERE d.webhook_id = w.id)",
        "LEFT JOIN namespaces_webhook w ON w.id = %(key)s AND w.account_id = %(account)s",
    ),
}


def note_of_webhook(request: HttpRequest, webhook: Webhook) -> str:
    return live_updates.note(request, "webhook", webhook.pk, account=webhook.account_id)
