"""The one-time link that makes the first operator."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import operator_link
from accounts.errors import Absent
from accounts.pages.http import principal
from accounts.services import people
from accounts.signup import OPERATOR_KEY


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing; the link is spent by the button, and the button wants somebody signed in."""
    if not people.is_operator_link(text=token, kept=operator_link.kept()):
        return _dead(request)
    if request.method == "POST" and request.user.is_authenticated:
        try:
            people.make_first_operator(by=principal(request), text=token, kept=operator_link.kept())
        except Absent:  # two clicks raced for one link
            return _dead(request)
        request.session.pop(OPERATOR_KEY, None)
        messages.success(
            request, _("You run this installation now. Next: create an account for your images.")
        )
        return redirect("home")
    if not request.user.is_authenticated:
        request.session[OPERATOR_KEY] = token
    return render(request, "accounts/first.html")


def _dead(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_dead.html", {"kind": "operator"}, status=404)
