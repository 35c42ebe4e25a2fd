"""What one user may do, and through which permission; reached from the user's page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import gate as accounts_gate
from accounts.errors import Invalid
from accounts.pages.forms import put_errors, status_of
from accounts.pages.http import PersonRequest, principal, tab
from accounts.pages.rights import why_not
from accounts.roles import Act
from namespaces import selectors
from namespaces.forms import UserGrantForm
from namespaces.services import grants


@tab("users")
@login_required
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def user_grants(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    by, writes = principal(request), request.method == "POST"
    user = accounts_gate.user(by, handle, username, Act.GRANTS_MANAGE if writes else Act.ACCOUNT_VIEW)
    form = UserGrantForm(request.POST if writes else None, account=user.account)
    here = reverse("user-grants", args=[handle, username])
    if writes and form.is_valid():
        try:
            grants.give(by=by, user=user, **form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            messages.success(request, _("Permission added."))
            return redirect(here)
    context = {
        "user": user,
        "form": form,
        "why_not": why_not(by, user.account, Act.GRANTS_MANAGE),
        "grants": selectors.grants_of(user),
        "here": here,
        "account": user.account,
    }
    template = "namespaces/_user_grants.html" if request.htmx else "namespaces/user_grants.html"
    return render(request, template, context, status=status_of(form))
