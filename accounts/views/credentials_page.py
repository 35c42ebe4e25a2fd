"""The page that shows a password once, and the line on it that waits for the first use."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import live_updates, permissions, selectors
from accounts.client_commands import Example
from accounts.models import RegistryUser
from accounts.views.client_tabs import client_tabs
from accounts.views.request import PersonRequest, principal, tab


def no_example(_user: RegistryUser) -> Example:
    return Example()


# Grants are known one house up, which puts its own function here when it starts.
example_of: Callable[[RegistryUser], Example] = no_example


@never_cache
def show(
    request: PersonRequest, user: RegistryUser, password: str, *, instead: str = "", steps: Sequence[Any] = ()
) -> HttpResponse:
    """Answer the very request that made the password, or sent it back: the page has no address of its own.

    `instead`: "replaced" where the older ones have stopped, "rotated" where the older one goes on. `steps`: of a test
    of the password.
    """
    example, secret = example_of(user), selectors.live_password(user, password)
    ends = (user.expires_at, secret.ends_at if secret else None)  # whichever is first
    return render(request, "accounts/secret.html", {
        "account": user.account, "user": user, "password": password, "ends_at": min(filter(None, ends), default=None),
        "instead": instead,
        "tabs": client_tabs(user, example), "example": example, "live": live_note(request, user), "steps": steps,
    })  # fmt: skip


@login_required
@require_safe
@tab("users")
@never_cache
def first_use(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    """Say whether it was used, and from where and with what. Polled by the secret page."""
    user = permissions.user(principal(request), handle, username)
    note = live_note(request, user)
    user.refresh_from_db()
    return render(request, "accounts/_first_use.html", {
        "account": user.account, "user": user, "used": selectors.used_newest_password(user),
        "live": note,
    })  # fmt: skip


@login_required
@require_safe
@tab("users")
@never_cache
def last_use(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    """Say when the user was used last, from where and with what. Polled by the user's page."""
    user = permissions.user(principal(request), handle, username)
    note = live_note(request, user)
    user.refresh_from_db()
    return render(request, "accounts/_last_use.html", {"account": user.account, "user": user, "live": note})


def live_note(request: PersonRequest, user: RegistryUser) -> str:
    return live_updates.note(request, "first use", user.pk, account=user.account_id)
