"""Webhooks: the list of an account, of a namespace or of an image, and the forms that make and change one."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions as account_permissions
from accounts.common.errors import Invalid
from accounts.models import Account
from accounts.principal import Principal
from accounts.roles import Permission
from accounts.views import form_nonce
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.settings_tabs import settings_tabs
from namespaces import permissions
from namespaces.listing import webhook_list
from namespaces.models import Webhook
from namespaces.services import webhooks as service
from namespaces.views.grant_targets import parse_target
from namespaces.views.navigation import image_context, namespace_context
from namespaces.webhook_forms import NewWebhookForm, WebhookChangeForm
from namespaces.webhooks import stored_secrets
from namespaces.webhooks.presets import PRESETS, Preset, nearest, preset_of

WHERE = "where"


@tab("settings")
@login_required
@require_safe
def webhooks(request: PersonRequest, handle: str) -> HttpResponse:
    account = account_permissions.account(principal(request), handle, Permission.WEBHOOKS_MANAGE)
    context = {
        "rows": webhook_list.webhook_rows(webhook_list.webhooks_of(account), account),
        "subtabs": settings_tabs(account, "webhooks"),
    }
    return _list(request, account, context)


@tab("images")
@login_required
@require_safe
def of_namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    namespace = permissions.namespace(principal(request), handle, name, Permission.WEBHOOKS_MANAGE)
    found = webhook_list.webhooks_about(namespace)
    context = namespace_context(namespace, "webhooks") | {
        "rows": webhook_list.webhook_rows(found, namespace.account)
    }
    return _list(request, namespace.account, context, where=namespace.name)


@tab("images")
@login_required
@require_safe
def of_image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    image = permissions.image_or_planned(
        principal(request), handle, name, image_name, Permission.WEBHOOKS_MANAGE
    )
    account = image.namespace.account
    found = webhook_list.webhooks_about(image.namespace, image)
    context = image_context(image, "webhooks") | {"rows": webhook_list.webhook_rows(found, account)}
    return _list(request, account, context, where=image.repository)


def _list(
    request: PersonRequest, account: Account, context: dict[str, Any], *, where: str = ""
) -> HttpResponse:
    context |= {
        "account": account,
        "where": where,
        "presets": PRESETS.values(),
        "create_url": _create_url(account, where),
        "networks": settings.WEBHOOK_NETWORKS,
    }
    return render(request, "namespaces/webhooks.html", context)


@tab("settings")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def create(request: PersonRequest, handle: str) -> HttpResponse:
    """First which receiver, then its form: `?preset=flux&where=team/app`."""
    by = principal(request)
    account = account_permissions.account(by, handle, Permission.WEBHOOKS_MANAGE)
    given = request.POST if request.method == "POST" else request.GET
    preset, where = preset_of(given.get("preset", "")), given.get(WHERE, "").strip()[:200]
    if not preset:
        context = {"account": account, "presets": PRESETS.values(), "create_url": _create_url(account, where)}
        status = 400 if request.method == "POST" else 200
        return render(request, "namespaces/webhook_presets.html", context, status=status)
    form = NewWebhookForm(request.POST if request.method == "POST" else None, preset=preset, where=where)
    if form.is_valid():
        try:
            return _created(request, by, account, form)
        except Invalid as error:
            put_errors(form, error, namespace=WHERE, image_name=WHERE)
    context = {"account": account, "form": form, "preset": preset, "once": form_nonce.mark(),
               "back": reverse("webhooks", args=[handle])}  # fmt: skip
    return render(request, "namespaces/webhook_form.html", context, status=status_of(form))


def _created(request: PersonRequest, by: Principal, account: Account, form: NewWebhookForm) -> HttpResponse:
    """Raise Invalid."""
    where = form.cleaned_data[WHERE].strip()
    target = parse_target(by, account.handle, where, Permission.WEBHOOKS_MANAGE) if where else None
    if not form_nonce.spend(request):
        messages.info(request, _("This form was already submitted; its webhook is in the list. If you did not save "
                                 "the signing secret, make a new one."))  # fmt: skip
        return redirect("webhooks", account.handle)
    made = service.create(
        by=by,
        account=account,
        namespace=target.namespace if target else None,
        image_name=target.image_name if target else "",
        **form.values(),
    )
    return secret_page(request, made.webhook, made.signing_secret, preset=form.preset)


@tab("settings")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def edit(request: PersonRequest, handle: str, webhook_id: int) -> HttpResponse:
    by = principal(request)
    row = permissions.webhook(by, handle, webhook_id)
    preset = nearest(row.format, row.event_types)
    form = WebhookChangeForm(
        request.POST if request.method == "POST" else None,
        preset=preset,
        webhook=row,
        has_authorization=bool(stored_secrets.decrypt(row).authorization),
    )
    if form.is_valid():
        try:
            service.change(by=by, webhook=row, **form.values())
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("webhook", handle, row.pk)
    context = {"account": row.account, "form": form, "preset": preset, "webhook": row,
               "back": reverse("webhook", args=[handle, row.pk])}  # fmt: skip
    return render(request, "namespaces/webhook_form.html", context, status=status_of(form))


def secret_page(
    request: PersonRequest, row: Webhook, secret: str, *, preset: Preset | None = None
) -> HttpResponse:
    """Show a signing secret, which is seen only here. Without `preset` it replaces another."""
    context = {"account": row.account, "webhook": row, "secret": secret, "preset": preset}
    return render(request, "namespaces/webhook_secret.html", context)


def _create_url(account: Account, where: str) -> str:
    """Return the form's address, to which `preset=…` is added."""
    query = f"{urlencode({WHERE: where})}&" if where else ""
    return f"{reverse('webhook-create', args=[account.handle])}?{query}"
