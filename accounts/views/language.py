"""The language of pages: what the person chose (a cookie), else what the browser asks for.

A cookie and no row, so that it costs no statement and error pages follow it too. The choice is stored with the person
as well: signing in sets the cookie from it, and mails are written in it.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from accounts.models import Person
from accounts.services import people
from accounts.views.form_errors import is_ours
from accounts.views.request import principal

COOKIE: Final = "language"
A_YEAR: Final = 365 * 24 * 3600
API: Final = (
    "/api/"  # follows Accept-Language alone: a program's errors do not change with what a person clicks
)


class LanguageMiddleware:
    """As Django's LocaleMiddleware, but it knows the API, and leaves no language behind in the thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        with translation.override(language):
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", language)
        patch_vary_headers(answer, ["Accept-Language"])
        return answer


def language_of(request: HttpRequest) -> str:
    chosen = "" if request.path.startswith(API) else request.COOKIES.get(COOKIE, "")
    return chosen if is_offered(chosen) else translation.get_language_from_request(request)


def is_offered(language: str) -> bool:
    return language in dict(settings.LANGUAGES)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Lead back to the page with the switch. Signed in or not; what is no language changes nothing."""
    before = request.headers.get("Referer", "")
    # The page that says that this form has expired is at this very address.
    leads_back = bool(before) and is_ours(before) and urlsplit(before).path != request.path
    answer = redirect(before if leads_back else "home")
    language = request.POST.get("language", "")
    if is_offered(language):
        if request.user.is_authenticated:
            people.choose_language(by=principal(request), language=language)
        remember(answer, language)
    return answer


def remember(answer: HttpResponseBase, language: str) -> None:
    answer.set_cookie(
        COOKIE,
        language,
        max_age=A_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def remember_choice_of(person: Person, answer: HttpResponseBase) -> None:
    """On signing in: this browser shows what the person chose in another one."""
    if is_offered(person.language):
        remember(answer, person.language)
