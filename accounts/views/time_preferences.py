"""Moments as the reader wants them: the zone that the browser says (static/panel.js), and exact ones on request."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import reader_preferences
from accounts.views.form_errors import is_ours
from accounts.views.request import PersonRequest

ZONE: Final = "time_zone"
TIMES: Final = "times"
EXACT: Final = "exact"
A_YEAR: Final = 365 * 24 * 3600
API: Final = "/api/"  # tells every moment in UTC, whoever asks


class TimesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(API):
            return self.get_response(request)
        zone, exact = request.COOKIES.get(ZONE, ""), request.COOKIES.get(TIMES) == EXACT
        with reader_preferences.as_asked(zone=zone, exact=exact):
            return self.get_response(request)


@login_required
@require_POST
def times(request: PersonRequest) -> HttpResponse:
    """Lead back to the page with the switch. No page says which it is: one of trouble repeats no address."""
    before = request.headers.get("Referer", "")
    answer = redirect(before if before and is_ours(before) else "home")
    if request.POST.get("times") == EXACT:
        answer.set_cookie(
            TIMES, EXACT, max_age=A_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    else:
        answer.delete_cookie(TIMES, samesite="Lax")
    return answer
