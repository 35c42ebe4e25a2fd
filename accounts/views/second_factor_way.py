"""To the page that sets up a required second factor, and afterwards on to the page that the person wanted."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

WANTED: Final = "second_factor_wanted"  # in the session
WANTED_MAX: Final = 500


def lead_to_set_up(request: HttpRequest) -> HttpResponse:
    """Lead there, and remember the page. What a script fetches by itself is none."""
    wanted, accepts = request.get_full_path(), request.headers.get("Accept", "")
    is_page = request.method == "GET" and "text/html" in accepts and "HX-Request" not in request.headers
    if is_page and len(wanted) <= WANTED_MAX:
        request.session[WANTED] = wanted
    return redirect("mfa_index")


def take_wanted(request: HttpRequest) -> str:
    """Return the page that the person wanted, once; "" where there is none."""
    return str(request.session.pop(WANTED, ""))
