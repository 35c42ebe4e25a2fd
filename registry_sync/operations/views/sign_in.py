"""Of whom the installation requires a second factor."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import reauthentication
from accounts.common.errors import Invalid
from accounts.second_factor_policy import RequiredOf
from accounts.second_factors.requirement import installation_rule
from accounts.services import second_factors
from accounts.views.request import PersonRequest, principal
from accounts.views.second_factor_required import shut_out
from registry_sync.operations.views.navigation import operators, system_context


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: PersonRequest) -> HttpResponse:
    chosen = request.POST.get("second_factor", "")
    if request.method == "POST" and chosen in list(RequiredOf):
        reauthentication.confirm(request)
        try:
            second_factors.require_of(by=principal(request), required_of=RequiredOf(chosen))
        except Invalid as error:
            return _page(request, problem=error.message)
        messages.success(request, _("Saved."))
        return redirect("system-sign-in")
    return _page(request)


def _page(request: PersonRequest, *, problem: str = "") -> HttpResponse:
    texts = {
        RequiredOf.NOBODY: _("Nobody"),
        RequiredOf.OPERATORS: _("Operators only"),
        RequiredOf.EVERYBODY: _("Everybody"),
    }
    options = [(each.value, text, _concerned(each)) for each, text in texts.items()]
    context = system_context("system-sign-in") | {
        "options": options,
        "current": installation_rule().value,
        "problem": problem,
    }
    return render(request, "registry_sync/system_sign_in.html", context, status=400 if problem else 200)


def _concerned(rule: RequiredOf) -> str:
    if rule is RequiredOf.NOBODY:
        return _("Each person decides. An owner can require it in an account.")
    return shut_out(second_factors.shut_out_by(rule))
