"""The line of a page that waits for a push: what the user was denied last, as it comes in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import live_updates, permissions, selectors
from accounts.models import RegistryUser
from accounts.views.request import PersonRequest, principal, tab


@login_required
@require_safe
@tab("users")
def last_denial(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    user = permissions.user(principal(request), handle, username)
    note = live_note(request, user)  # before the denial, or one that comes in between would be missed
    context = {
        "account": user.account,
        "user": user,
        "denial": selectors.last_denial_of(user),
        "denial_live": note,
    }
    return render(request, "accounts/_last_denial.html", context)


def live_note(request: PersonRequest, user: RegistryUser) -> str:
    return live_updates.note(request, "denial", user.pk, account=user.account_id)
