"""Opening an account."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import limits
from accounts.common.errors import Invalid
from accounts.forms import AccountForm
from accounts.services import accounts
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def open_account(request: PersonRequest) -> HttpResponse:
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            account = accounts.open_account(by=principal(request), name=form.cleaned_data["name"])
        except Invalid as error:
            put_errors(form, error)
        else:
            return redirect("images", account.handle)
    (held,) = limits.holdings([limits.ACCOUNTS], request.user)
    return render(
        request, "accounts/account_create.html", {"form": form, "held": held}, status=status_of(form)
    )
