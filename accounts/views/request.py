"""What every page shares: the typed request, and the principal behind it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from accounts.common.client_ip import client_address
from accounts.models import Person
from accounts.principal import Kind, Principal


class PersonRequest(HttpRequest):
    """A request that passed login_required."""

    user: Person
    htmx: HtmxDetails


def principal(request: HttpRequest) -> Principal:
    return principal_for(request.user, request.META)  # type: ignore[arg-type]


def principal_for(person: Person, meta: Mapping[str, Any]) -> Principal:
    return Principal(
        kind=Kind.PERSON,
        id=person.pk,
        label=person.email,
        address=client_address(meta),
        operator=person.is_staff,
    )


View = TypeVar("View", bound=Callable[..., HttpResponse])


def tab(name: str) -> Callable[[View], View]:
    """Names the account tab that a page belongs to, for the frame around it."""

    def mark(view: View) -> View:
        view.tab = name  # type: ignore[attr-defined]
        return view

    return mark
