"""Whoever does something dangerous confirms first that it is they: a session left open, or stolen, is not enough.

It holds for FRESH, and signing in counts: by password and by whatever second factor there is, or by a passkey. Whoever
has no way to confirm signs in again. Guard a page with `required` or `confirm`, an API call with `demand`.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.common.errors import Forbidden

FRESH: Final = 5 * 60  # seconds
# As allauth records them. Coming back from an OIDC provider is none: it may not have asked anything.
PROOFS: Final = frozenset({"password", "mfa"})


class NotFresh(Forbidden):
    """An API call by a session whose person must confirm first that it is they."""

    code = "reauthentication_required"


View = TypeVar("View", bound=Callable[..., HttpResponse])


def required(view: View) -> View:
    """Let the page ask first, whatever the method; afterwards the person is where they wanted to be, with their form.

    Raise Forbidden for who has no way to confirm. Put it below `login_required`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        confirm(request)
        return view(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]


def confirm(request: HttpRequest) -> None:
    """As `required`, inside a page: after its gate, so that a stranger is asked nothing."""
    if not is_fresh(request):
        refuse_without_way(request)
        forget_form(request)
        raise ReauthenticationRequired  # allauth's middleware knows the way


def demand(request: Any) -> None:
    """Raise NotFresh for a request of the API that comes with the panel's session; a token is a proof by itself."""
    if not request.auth and not is_fresh(request):
        raise NotFresh(_("Confirm first that it is you: open %(page)s.") % {"page": "/me/reauthenticate/"})


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the person proved a moment ago who they are."""
    records = get_authentication_records(request, request.user)
    return any(
        time.time() - each.get("at", 0) < FRESH
        for each in records
        if each.get("method") in PROOFS or each.get("reauthenticated")
    )


def forget_form(request: HttpRequest) -> None:
    """Forget a form that waits for a confirmation which was given up: a page that is only opened must not send it.

    One with a password never waits, as it would in clear in the session: it is filled in anew after the confirmation.
    """
    if request.method != "POST":  # which allauth's middleware keeps in its place
        request.session.pop(STATE_SESSION_KEY, None)
    elif any("password" in name for name in request.POST):
        raise ImmediateHttpResponse(redirect(request.get_full_path()))


def refuse_without_way(request: HttpRequest) -> None:
    if not get_adapter().get_reauthentication_methods(request.user):
        raise Forbidden(
            _(
                "Sign out and sign in again, then repeat this within five minutes: only somebody who has just "
                "signed in may do it."
            )
        )
