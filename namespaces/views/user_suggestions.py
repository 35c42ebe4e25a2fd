"""What a field that names a user suggests while somebody types (accounts/user_field.py)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import permissions, user_search
from accounts.views.request import PersonRequest, principal


@login_required
@require_safe
def user_suggestions(request: PersonRequest, handle: str) -> HttpResponse:
    """Show the first users that match what is typed in `?field=`, which is called `user` on most forms."""
    account = permissions.account(principal(request), handle)
    found = user_search.suggested(account, request.GET.get(request.GET.get("field", "user"), ""))
    shown = found[: user_search.SUGGESTED]
    context = {
        "users": [(user, user_search.label(user)) for user in shown],
        "more": len(found) > len(shown),
    }
    return render(request, "namespaces/_user_suggestions.html", context)
