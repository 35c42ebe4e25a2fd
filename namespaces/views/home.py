"""The person's accounts, with what each holds."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.second_factors import requirement
from accounts.views.request import PersonRequest, principal
from namespaces import account_stats
from namespaces.account_stats import AccountStats


@login_required
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    """All accounts as cards; with exactly one, straight to it, unless `?all=1` asks for the cards."""
    found = list(selectors.accounts_overview(person_id=request.user.pk))
    if len(found) == 1 and "all" not in request.GET:
        return redirect("images", found[0].handle)
    entered = requirement.admitting(found, principal(request))
    held = account_stats.account_stats(entered)
    cards = [(account, held.get(account.pk, AccountStats()), account in entered) for account in found]
    return render(request, "namespaces/home.html", {"cards": cards})
