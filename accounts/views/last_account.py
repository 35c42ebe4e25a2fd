"""The account that was open last: pages that belong to none (System, search, a person's own) keep its tabs.

In a cookie, so that looking writes nothing. Whoever signs in there next sees it only where they are a member too.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

COOKIE: Final = "account"
PAGES: Final = "/a/"  # of an account; the API's addresses name one too


class LastAccountMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        handle = request.resolver_match.kwargs.get("handle", "") if request.resolver_match else ""
        of_account = handle and request.path.startswith(PAGES)
        if of_account and answer.status_code == HTTPStatus.OK and handle != last(request):
            answer.set_cookie(
                COOKIE, handle, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
            )
        return answer


def last(request: HttpRequest) -> str:
    return request.COOKIES.get(COOKIE, "")
