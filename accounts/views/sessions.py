"""A person's own sessions, ended one by one or all others together, and what happened to their ways in."""

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import security_events
from accounts.common.errors import NotFound
from accounts.common.pagination import paginate
from accounts.common.translation import translate
from accounts.common.user_agent import browser, client_name
from accounts.security_events import KEPT, KEPT_FOR
from accounts.services import sessions as service
from accounts.templatetags.cells import when
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal

SHOWN: Final = 10


@method_decorator(login_required, name="dispatch")
class Sessions(ListUserSessionsView):  # type: ignore[misc]
    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """As allauth, but looking deletes nothing."""
        found = service.live(self.request.user)
        context: dict[str, Any] = super(ListUserSessionsView, self).get_context_data(**more)
        return context | {"sessions": found, "session_count": len(found)}

    def form_valid(self, form: Form) -> HttpResponse:
        request = self.request
        service.end_others(by=principal(request), person=request.user, kept=request.session.session_key)
        text = "usersessions/messages/sessions_logged_out.txt"
        get_adapter().add_message(request, messages.INFO, text)
        return redirect("usersessions_list")


@login_required
@asks
def end(request: PersonRequest, session_id: int) -> HttpResponse:
    found = next((each for each in service.live(request.user) if each.pk == session_id), None)
    if not found:
        raise NotFound
    if found.session_key == request.session.session_key:
        return redirect("account_logout")
    if request.method != "POST":
        return ask(request, Question(
            title=_("Sign out %(browser)s?") % {"browser": _name(found)},
            stops=[_signed_in(found), _("It must sign in again; anything not saved there is lost.")],
            button=pgettext("another session", "Sign out"), back=reverse("usersessions_list"),
        ))  # fmt: skip
    service.end(by=principal(request), session=found)
    messages.success(request, _("Signed out %(browser)s.") % {"browser": _name(found)})
    return redirect("usersessions_list")


@login_required
@require_safe
def other_sessions(request: PersonRequest) -> HttpResponse:
    others = [each for each in service.live(request.user) if each.session_key != request.session.session_key]
    if not others:
        return redirect("usersessions_list")
    words = ngettext("Sign out %(n)s other session?", "Sign out %(n)s other sessions?", len(others))
    return ask(request, Question(
        title=words % {"n": len(others)},
        stops=[
            *map(_signed_in, others[::-1][:SHOWN]),
            ngettext("It must sign in again; anything not saved there is lost.",
                     "They must sign in again; anything not saved there is lost.", len(others)),
        ],
        button=_("Sign out the others"), back=reverse("usersessions_list"), act=reverse("usersessions_list"),
    ))  # fmt: skip


@login_required
@require_safe
@never_cache
def events(request: PersonRequest) -> HttpResponse:
    """Show the person what happened to their own ways in; nobody else."""
    page = paginate(security_events.of_person(request.user.pk), cursor=request.GET.get("page", ""))
    return render(
        request, "accounts/security_events.html", {"page": page, "most": KEPT, "days": KEPT_FOR.days}
    )


def _name(session: UserSession) -> str:
    return translate(client_name(browser(session.user_agent))) or _("an unknown browser")


def _signed_in(session: UserSession) -> str:
    sentence = _("{browser} at {address} signed in {when}.")
    return format_html(sentence, browser=_name(session), address=session.ip, when=when(session.created_at))


sessions = Sessions.as_view()
