"""One webhook: how it stands, what was sent to it, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.common.encryption import Undecryptable
from accounts.common.errors import Conflict, Invalid
from accounts.views import form_nonce
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing import webhook_list
from namespaces.models import Webhook, WebhookDelivery
from namespaces.services import webhooks as service
from namespaces.views.webhooks import secret_page
from namespaces.webhooks import stored_secrets
from namespaces.webhooks.event_types import FORMATS, Format
from namespaces.webhooks.live_note import note_of_webhook
from namespaces.webhooks.shown_message import readable, readable_request


@tab("settings")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def webhook(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    row = permissions.webhook(principal(request), handle, webhook_id)
    live = note_of_webhook(request, row)
    state = request.GET.get("state", "")
    state = state if state in webhook_list.STATES else ""
    page = webhook_list.delivery_page(row, state=state, cursor=request.GET.get("page", ""))
    context = _context(row) | {
        "live": live,
        "page": page,
        "rows": webhook_list.delivery_rows(row, page.rows),
        "chosen": state,
        "states": _states(state),
        "format": _format(row),
        "acts_on_tests": row.format != Format.CLOUDEVENTS,
        "has_authorization": _has_authorization(request, row),
        "two_secrets": bool(row.previous_secret_until and row.previous_secret_until > timezone.now()),
    }
    return render(request, "namespaces/webhook.html", context)


def _has_authorization(request: PersonRequest, row: Webhook) -> bool:
    """Without the key the page shows all the same: it can be switched off and deleted there."""
    try:
        return bool(stored_secrets.decrypt(row).authorization)
    except Undecryptable as error:
        messages.error(request, error.message)
        return False


@tab("settings")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def delivery(request: PersonRequest, handle: str, webhook_id: int, delivery_id: int) -> HttpResponse:
    found = permissions.webhook_delivery(principal(request), handle, webhook_id, delivery_id)
    row = found.webhook
    context = _context(row) | {
        "live": note_of_webhook(request, row) if found.due_at else "",
        "delivery": found,
        "row": webhook_list.delivery_row(row, found),
        "earlier": webhook_list.earlier_rows(found),
        "sent": readable_request(found.request),
        "answer": readable(found.answer),
    }
    return render(request, "namespaces/webhook_delivery.html", context)


@login_required
@require_POST
def test(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    by = principal(request)
    sent = service.send_test(by=by, webhook=permissions.webhook(by, handle, webhook_id))
    return redirect("webhook-delivery", handle, webhook_id, sent.pk)


@login_required
@require_POST
def resend(request: PersonRequest, handle: str, webhook_id: int, delivery_id: int) -> HttpResponse:
    by = principal(request)
    found = permissions.webhook_delivery(by, handle, webhook_id, delivery_id)
    try:
        sent = service.resend(by=by, delivery=found)
    except Conflict as error:
        messages.error(request, error.message)
        sent = found
    return redirect("webhook-delivery", handle, webhook_id, sent.pk)


@login_required
@require_POST
def toggle(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    by = principal(request)
    enabled = request.POST.get("enabled") == "yes"
    service.set_enabled(by=by, webhook=permissions.webhook(by, handle, webhook_id), enabled=enabled)
    on = _("The webhook is on. What was still waiting is sent now.")
    off = _("The webhook is off. What happens while it is off is not sent.")
    messages.success(request, on if enabled else off)
    return redirect("webhook", handle, webhook_id)


@tab("settings")
@login_required
@asks
@never_cache
def replace_secret(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.webhook(by, handle, webhook_id)
    if request.method != "POST":
        return ask(request, _replacing(row))
    try:
        if not form_nonce.spend(request):
            messages.info(request, _("This form was already submitted; the secret was replaced only once."))
            return redirect("webhook", handle, webhook_id)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect(request.path)
    return secret_page(request, row, service.replace_secret(by=by, webhook=row))


@tab("settings")
@login_required
@asks
def delete(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.webhook(by, handle, webhook_id)
    if request.method != "POST":
        return ask(request, _deleting(row))
    service.remove(by=by, webhook=row)
    messages.success(request, _("Deleted the webhook %(webhook)s.") % {"webhook": row})
    return redirect("webhooks", handle)


def _replacing(row: Webhook) -> Question:
    stops = [_("The new secret is shown once. For 24 hours, what is sent is signed with both.")]
    if row.previous_secret_until and row.previous_secret_until > timezone.now():
        stops.append(_("The secret before the present one is no longer used."))
    return Question(
        title=_("Make a new signing secret for %(webhook)s?") % {"webhook": row},
        stops=stops,
        button=_("Make new secret"),
        back=_page_of(row),
        fields={"once": form_nonce.mark()},
    )


def _deleting(row: Webhook) -> Question:
    waiting = row.deliveries.filter(state=WebhookDelivery.State.WAITING).count()
    stops = [_("Nothing is sent to it any more, and the list of what was sent is deleted.")]
    if waiting:
        stops.append(_("What still waits (%(count)s) is not sent.") % {"count": waiting})
    return Question(
        title=_("Delete the webhook %(webhook)s?") % {"webhook": row},
        stops=stops,
        button=_("Delete webhook"),
        back=_page_of(row),
    )


def _context(row: Webhook) -> dict[str, Any]:
    return {
        "account": row.account,
        "webhook": row,
        "state": webhook_list.state_of(row),
        "events": webhook_list.events_of(row),
    }


def _format(row: Webhook) -> str:
    """Return its label; the format itself where a later build wrote it."""
    try:
        return FORMATS[Format(row.format)].label
    except ValueError:
        return row.format


def _states(chosen: str) -> list[tuple[str, str, bool]]:
    words = [
        ("", _("all")),
        (WebhookDelivery.State.WAITING.value, _("waiting")),
        (WebhookDelivery.State.FAILED.value, _("given up")),
        (WebhookDelivery.State.DELIVERED.value, _("delivered")),
    ]
    return [(text, f"?state={state}" if state else "?", state == chosen) for state, text in words]


def _page_of(row: Webhook) -> str:
    return reverse("webhook", args=[row.account.handle, row.pk])
