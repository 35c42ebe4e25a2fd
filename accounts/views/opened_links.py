"""One-time links that a browser has opened: which they are, not their secrets, is remembered in its session.

The address with the secret in it only redirects, so that it is in no Referer, no `next` and no form's address. So GET
writes here, and nowhere else: signing in must find it, which allauth begins with the same session.
"""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.common.errors import NotFound
from accounts.models import Invitation, OperatorLink, Person
from accounts.services import invitations, people
from accounts.views.request import principal_for

OPERATOR, INVITATION = "bootstrap", "invitation"  # the pages' names, and the keys in the session


def open_link(request: HttpRequest, page: str, find: Callable[[], Invitation | OperatorLink]) -> HttpResponse:
    """Remember the link and redirect to its page; show that it does not work where `find` raises NotFound."""
    try:
        link = find()
    except NotFound:
        return invalid(request, page)
    if request.method != "HEAD":  # a program that looks at the links of a mail
        request.session[page] = link.pk
    response = redirect(page)
    response["Referrer-Policy"] = "no-referrer"
    return response


def invalid(request: HttpRequest, page: str) -> HttpResponse:
    return render(request, "accounts/link_invalid.html", {"operator": page == OPERATOR}, status=404)


def forget(request: HttpRequest, page: str) -> None:
    request.session.pop(page, None)


def operator_link(request: HttpRequest) -> OperatorLink | None:
    with suppress(NotFound):
        return people.opened_operator_link(id=_id(request, OPERATOR), person_id=request.user.pk)
    return None


def invitation(request: HttpRequest) -> Invitation | None:
    with suppress(NotFound):
        return invitations.opened(id=_id(request, INVITATION), person_id=request.user.pk)
    return None


def admit(request: HttpRequest) -> bool:
    """Whether somebody may sign up by a link, where not everybody may."""
    links = [operator_link(request), invitation(request) if settings.SIGNUP == "invite" else None]
    return any(link and link.reserved_for_id is None for link in links)


def admit_operator(request: HttpRequest) -> bool:
    link = operator_link(request)
    return bool(link and link.reserved_for_id is None)


def reserve(request: HttpRequest, person: Person) -> bool:
    """For who signs up, in that transaction: the link that let them in lets nobody else in. False: there is none."""
    by = principal_for(person, request.META)
    return people.reserve_operator_link(id=_id(request, OPERATOR), person=person) or (
        settings.SIGNUP != "closed" and invitations.reserve(id=_id(request, INVITATION), person=person, by=by)
    )


def page(request: HttpRequest) -> str:
    """Of the link that brought the person here, to be confirmed now that they are signed in; "" when there is none."""
    if operator_link(request):
        return reverse(OPERATOR)
    return reverse(INVITATION) if invitation(request) else ""


def _id(request: HttpRequest, page: str) -> int:
    return int(request.session.get(page, 0))
