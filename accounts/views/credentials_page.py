"""The page that shows a password once, and the line on it that waits for the first use."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import live_updates, permissions, selectors
from accounts.models import RegistryUser
from accounts.views.login_snippets import Example, login_snippets
from accounts.views.request import PersonRequest, principal, tab


def no_example(_user: RegistryUser) -> Example:
    return Example()


# Grants are known one house up, which puts its own function here when it starts.
example_of: Callable[[RegistryUser], Example] = no_example


@never_cache
def show(
    request: PersonRequest, user: RegistryUser, password: str, *, replaced: bool = False
) -> HttpResponse:
    """Answer the very request that made the password: the page has no address of its own."""
    example = example_of(user)
    return render(request, "accounts/secret.html", {
        "account": user.account, "user": user, "password": password, "replaced": replaced,
        "ways": login_snippets(username=user.username, example=example), "may_nothing": not example.repository,
        "live": _live(request, user),
    })  # fmt: skip


@login_required
@require_safe
@tab("users")
@never_cache
def first_use(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    """Say whether it was used, and from where and with what. Polled by the secret page."""
    user = permissions.user(principal(request), handle, username)
    note = _live(request, user)
    user.refresh_from_db()
    return render(request, "accounts/_first_use.html", {
        "account": user.account, "user": user, "used": selectors.used_since_password(user),
        "live": note,
    })  # fmt: skip


def _live(request: PersonRequest, user: RegistryUser) -> str:
    return live_updates.note(request, "first use", user.pk, account=user.account_id)
