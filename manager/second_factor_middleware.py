"""Leads a person who lacks a second factor that the installation requires to the page that sets one up."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from accounts.models import Person
from accounts.second_factors import requirement
from accounts.views.second_factor_way import lead_to_set_up
from manager.errors import outage

# A person's own ways in, with which they set one up; and what answers for itself: the API with a sentence
# (accounts/api/permissions.py), and doors for machines.
OPEN: Final = ("/me/", "/api/", "/auth/", "/registry/events", "/static/", "/leaked")
CLOSED: Final = ("/me/tokens/",)


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        if request.path.startswith(OPEN) and not request.path.startswith(CLOSED):
            return None
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:  # no session is looked up for a machine
            return None
        try:
            person = request.user
            shut_out = person.is_authenticated and requirement.shut_out(_person(person))
        except (DatabaseError, InterfaceError) as error:
            answer = outage(request, error)  # what is raised here passes by DomainErrorMiddleware
            if not answer:
                raise
            return answer
        return lead_to_set_up(request) if shut_out else None


def _person(user: Any) -> Person:
    return user  # type: ignore[no-any-return]
