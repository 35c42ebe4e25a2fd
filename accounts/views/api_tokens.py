"""A person's keys to the REST API."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import limits, permissions, reauthentication, selectors
from accounts.common.errors import Invalid
from accounts.common.expiring import expires_soon
from accounts.forms import ApiTokenForm
from accounts.models import Account, ApiToken
from accounts.services import api_tokens as service
from accounts.views import form_nonce
from accounts.views.confirmation import Question, ask, asks, last_use
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def api_tokens(request: PersonRequest) -> HttpResponse:
    accounts = selectors.accounts_of(person_id=request.user.pk)
    posted = request.POST if request.method == "POST" else None
    form = ApiTokenForm(posted, accounts=accounts, operator=request.user.is_staff)
    if form.is_valid() and _asks_password(form.cleaned_data):
        asked: HttpResponse = _create_confirmed(request, form, accounts)
        return asked
    return _create(request, form, accounts)


def _asks_password(wanted: dict[str, Any]) -> bool:
    return service.needs_confirmation(
        scope=wanted["scope"],
        as_operator=bool(wanted.get("as_operator")),
        expires_at=wanted["expires_at"],
        now=timezone.now(),
    )


@reauthentication.required
def _create_confirmed(
    request: PersonRequest, form: ApiTokenForm, accounts: Sequence[Account]
) -> HttpResponse:
    """Ask for the password, unless it was given a moment ago; then the same form comes here again."""
    return _create(request, form, accounts, confirmed=True)


def _create(
    request: PersonRequest, form: ApiTokenForm, accounts: Sequence[Account], *, confirmed: bool = False
) -> HttpResponse:
    if form.is_valid():
        try:
            if not form_nonce.spend(request):
                messages.info(request, _("This form was already submitted; its token is in the list. If you did "
                                         "not save it, revoke it and create another."))  # fmt: skip
                return redirect("api-tokens")
            by, wanted = principal(request), form.cleaned_data
            token, text = service.create(
                by=by,
                name=wanted["name"],
                expires_at=wanted["expires_at"],
                scope=wanted["scope"],
                account=permissions.account(by, wanted["account"]) if wanted["account"] else None,
                as_operator=bool(wanted.get("as_operator")),
                confirmed=confirmed,
            )
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            return _secret_page(request, token, text)
    now, found = timezone.now(), selectors.api_tokens_of(person_id=request.user.pk)
    mine = {each.handle for each in accounts}
    rows = [
        {
            "token": each,
            "over": not each.is_live(now),
            "soon": expires_soon(each.expires_at, now),
            "lost": bool(each.account and each.account.handle not in mine),
            "denied": each.as_operator and not request.user.is_staff,
        }
        for each in found
    ]
    (held,) = limits.holdings([limits.API_TOKENS], request.user)
    context = {"form": form, "rows": rows, "once": form_nonce.mark(), "held": held}
    return render(request, "accounts/api_tokens.html", context, status=status_of(form))


@login_required
@asks
def revoke(request: PersonRequest, token_id: int) -> HttpResponse:
    by = principal(request)
    token = permissions.api_token(by, token_id)
    if request.method != "POST":
        return ask(
            request,
            Question(
                title=_("Revoke %(name)s?") % {"name": token.name},
                last_use=last_use(token.name, token.last_used_at, token.last_used_with, token.last_used_from),
                stops=[_("API calls with it are denied at once. This cannot be undone.")],
                button=_("Revoke token"),
                back=reverse("api-tokens"),
            ),
        )
    service.revoke(by=by, token=token)
    messages.success(request, _("Revoked %(name)s.") % {"name": token.name})
    return redirect("api-tokens")


def _secret_page(request: PersonRequest, token: ApiToken, text: str) -> HttpResponse:
    header = 'printf "Authorization: Bearer %s" "$(cat registry-manager-token.txt)"'
    command = f"{header} | curl -H @- {settings.PUBLIC_URL}/api/v1/accounts/"
    context = {"token": token, "text_of_token": text, "command": command}
    return render(request, "accounts/api_token_secret.html", context)
