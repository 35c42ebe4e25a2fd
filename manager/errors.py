"""Domain errors become HTTP answers here, and nowhere else among the pages."""

import logging
import sys
from collections.abc import Callable

from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.defaults import server_error

from accounts.common.database_errors import RETRY_AFTER, first_line, outage_of
from accounts.common.errors import DomainError, Forbidden, NotFound, RateLimited, Unavailable
from accounts.second_factors.requirement import SecondFactorRequired
from accounts.views.second_factor_way import lead_to_set_up

MINUTE = 60  # seconds

log = logging.getLogger(__name__)


class DomainErrorMiddleware:
    """A page lets NotFound, Forbidden and Unavailable fly; Invalid it shows beside its fields itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match error:
            case NotFound():
                raise Http404(error.message)
            case DataError():  # a NUL in a path or a search: no row can have such a name
                raise Http404
            case SecondFactorRequired():
                return lead_to_set_up(request)
            case Forbidden():
                return render(request, "403.html", {"exception": error.message}, status=403)
            case Unavailable():
                return _later(request, 503, RETRY_AFTER, error.message)
            case RateLimited():
                return _later(request, 429, error.wait, error.message)
            case DomainError():
                return render(request, "400.html", {"exception": error.message}, status=400)
        return outage(request, error)


def too_often(request: HttpRequest) -> HttpResponse:
    """For allauth, which tells neither the bound nor for how long: they are by the minute, but one (settings.py)."""
    name = request.resolver_match.url_name if request.resolver_match else ""
    wait = 10 * MINUTE if name == "account_reset_password" else MINUTE
    return _later(request, 429, wait, _("Too many requests."))


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Sessions and the frame of a 404 ask the database too, outside of every view."""
    return outage(request, sys.exc_info()[1]) or server_error(request)


def outage(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    outage = outage_of(error)
    if not outage or not error:
        return None
    log.warning("%s %s: %s", request.method, request.path, first_line(error))
    return _later(request, 503, RETRY_AFTER, outage.sentence)


def _later(request: HttpRequest, status: int, wait: int, reason: str) -> HttpResponse:
    response = render(request, f"{status}.html", {"reason": reason, "wait": _wait(wait)}, status=status)
    response["Retry-After"] = str(wait)
    return response


def _wait(seconds: int) -> str:
    if seconds > MINUTE:
        words = ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", seconds // MINUTE)
        return words % {"n": seconds // MINUTE}
    return ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", seconds) % {"n": seconds}
