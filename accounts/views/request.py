"""What every page shares: the typed request, and the principal behind it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from accounts.common.client_ip import client_address
from accounts.common.user_agent import browser
from accounts.models import ApiToken, Person
from accounts.principal import Kind, Principal
from accounts.second_factors.requirement import has_factor


class PersonRequest(HttpRequest):
    """A request that passed login_required."""

    user: Person
    htmx: HtmxDetails


def principal(request: HttpRequest) -> Principal:
    return principal_for(request.user, request.META)  # type: ignore[arg-type]


def principal_for(person: Person, meta: Mapping[str, Any], token: ApiToken | None = None) -> Principal:
    """Return who acts, and as much of it as the token allows, if it came with one."""
    return Principal(
        kind=Kind.PERSON,
        id=person.pk,
        label=person.email,
        address=client_address(meta),
        client=browser(str(meta.get("HTTP_USER_AGENT", ""))),
        operator=person.is_staff and (token is None or token.as_operator),
        read_only=token is not None and token.scope != ApiToken.Scope.MANAGE,
        only_account=token.account.handle if token and token.account else "",
        second_factor=has_factor(person),
    )


def visitor(meta: Mapping[str, Any]) -> Principal:
    """Return who has not signed in, as far as the request tells."""
    return Principal(
        kind=Kind.SYSTEM,
        id=None,
        label="",
        address=client_address(meta),
        client=browser(str(meta.get("HTTP_USER_AGENT", ""))),
    )


View = TypeVar("View", bound=Callable[..., HttpResponse])


def tab(name: str) -> Callable[[View], View]:
    """Names the account tab that a page belongs to, for the frame around it."""

    def mark(view: View) -> View:
        view.tab = name  # type: ignore[attr-defined]
        return view

    return mark
