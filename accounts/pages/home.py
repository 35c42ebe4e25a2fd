"""The person's accounts, and opening one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import selectors
from accounts.errors import Invalid
from accounts.forms import AccountForm
from accounts.pages.forms import put_errors, status_of
from accounts.pages.http import PersonRequest, principal
from accounts.services import accounts


@login_required
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    """All accounts as cards; with exactly one, straight to it, unless `?all=1` asks for the cards."""
    found = list(selectors.accounts_overview(person_id=request.user.pk))
    if len(found) == 1 and "all" not in request.GET:
        return redirect("images", found[0].handle)
    return render(request, "accounts/home.html", {"accounts": found, "operator": request.user.is_staff})


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
    return render(request, "accounts/account_open.html", {"form": form}, status=status_of(form))
