"""Where a text that was found somewhere is pasted: whose the passwords in it are, and their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import leaks, permissions
from accounts.common.errors import NotFound
from accounts.leak_scan import TEXT_MAX, find_candidates
from accounts.leaks import Finding
from accounts.models import Account, Secret
from accounts.principal import Principal
from accounts.roles import Permission
from accounts.services import leaks as service
from accounts.views import button_permissions
from accounts.views.request import PersonRequest, principal, tab


class LeakForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What was found"),
        help_text=gettext_lazy(
            "A password, an API token, or any text that holds some: a log, a diff, a docker config, a Kubernetes "
            "secret. It is read once and not kept."
        ),
        max_length=TEXT_MAX,
        widget=forms.Textarea(
            {"rows": 6, "class": "font-monospace", "autocomplete": "off", "spellcheck": "false"}
        ),
    )


@dataclass(frozen=True)
class LeakDesk:
    """What was found, for a page. `proof` brings it along to the next request, without the passwords."""

    form: LeakForm
    findings: Sequence[Finding] | None = None
    proof: str = ""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
@tab("users")
def desk(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    if request.method == "POST":
        account = permissions.account(by, handle, Permission.USERS_MANAGE)
    else:
        account = permissions.account(by, handle)
    found = answer(request, by, account)
    context: dict[str, Any] = {
        "account": account,
        "desk": found,
        "why_not": button_permissions.denial_reason(account, Permission.USERS_MANAGE),
    }
    return render(request, "accounts/leak_desk.html", context, status=400 if found.form.errors else 200)


def answer(request: PersonRequest, by: Principal, account: Account | None) -> LeakDesk:
    """Find what the pasted text holds, or end one of what was found before. `account` None: of all."""
    now = timezone.now()
    if request.method != "POST":
        return LeakDesk(LeakForm())
    if "end" in request.POST:
        findings = leaks.proven(request.POST.get("proof", ""), by=by, account=account, now=now)
        _end(request, by, findings, request.POST["end"])
        return LeakDesk(
            LeakForm(),
            leaks.proven(request.POST["proof"], by=by, account=account, now=timezone.now()),
            request.POST["proof"],
        )
    form = LeakForm(request.POST)
    if not form.is_valid():
        return LeakDesk(form)
    findings = leaks.look_up(find_candidates(form.cleaned_data["text"]), account=account, now=now)
    return LeakDesk(LeakForm(), findings, leaks.proof(findings, by))


def _end(request: PersonRequest, by: Principal, findings: Sequence[Finding], key: str) -> None:
    chosen = next((each for each in findings if each.key == key), None)
    if not chosen or not chosen.row:
        raise NotFound
    if not service.end(by=by, row=chosen.row):
        messages.info(request, _("It had ended already."))
    elif isinstance(chosen.row, Secret):
        messages.success(request, _("Ended. Logins with it fail from now on; the owners get a mail."))
    else:
        messages.success(request, _("Ended. Requests with it fail from now on; its person gets a mail."))
