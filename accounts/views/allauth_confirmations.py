"""What ends a person's own ways in, asked before allauth's pages do it: other sessions, an email address."""

from typing import Final

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.common.errors import NotFound
from accounts.templatetags.cells import when
from accounts.views.confirmation import Question, ask
from accounts.views.request import PersonRequest

SHOWN: Final = 10


@login_required
@require_safe
def other_sessions(request: PersonRequest) -> HttpResponse:
    found = UserSession.objects.filter(user=request.user).order_by("-created_at")
    others = [each for each in found.exclude(session_key=request.session.session_key) if each.exists()]
    if not others:
        return redirect("usersessions_list")
    count = {"n": len(others)}
    words = ngettext("Sign out %(n)s other session?", "Sign out %(n)s other sessions?", len(others))
    signed_in = _("{browser} at {address} signed in {when}.")
    return ask(request, Question(
        title=words % count,
        stops=[
            *(format_html(signed_in, browser=each.user_agent, address=each.ip, when=when(each.created_at))
              for each in others[:SHOWN]),
            ngettext("It must sign in again; anything not saved there is lost.",
                     "They must sign in again; anything not saved there is lost.", len(others)),
        ],
        button=_("Sign out the others"), back=reverse("usersessions_list"), act=reverse("usersessions_list"),
    ))  # fmt: skip


@login_required
@require_safe
def remove_email(request: PersonRequest) -> HttpResponse:
    found = EmailAddress.objects.filter(user=request.user, email=request.GET.get("email", "")).first()
    if not found:
        raise NotFound
    return ask(request, Question(
        title=_("Remove %(email)s?") % {"email": found.email},
        stops=[_("You can no longer sign in with it, and no messages are sent to it.")],
        button=_("Remove address"), back=reverse("account_email"), act=reverse("account_email"),
        fields={"email": found.email, "action_remove": ""},
    ))  # fmt: skip
