"""Invitations: making a link and showing it once, withdrawing it, and following it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import gate
from accounts.errors import Absent
from accounts.pages import once
from accounts.pages.http import PersonRequest, principal, tab
from accounts.roles import Act
from accounts.services import members
from accounts.signup import INVITATION_KEY


@login_required
@require_POST
@tab("settings")
@never_cache
def invite(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = gate.account(by, handle, Act.MEMBERS_MANAGE)
    if not once.spend(request):
        messages.info(
            request, _("This was sent before; its link is in the list. Withdraw it if it was lost.")
        )
        return redirect("account-settings", handle)
    invitation, text = members.invite(by=by, account=account, role=request.POST.get("role", ""))
    context = {
        "account": account,
        "invitation": invitation,
        "link": settings.PUBLIC_URL + reverse("invitation", args=[text]),
    }
    return render(request, "accounts/invitation_link.html", context)


@login_required
@require_POST
def withdraw(request: PersonRequest, handle: str, invitation_id: int) -> HttpResponse:
    by = principal(request)
    members.withdraw(by=by, invitation=gate.invitation(by, handle, invitation_id))
    messages.success(request, _("Withdrawn. The link is worth nothing now."))
    return redirect("account-settings", handle)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing; the link is spent by the button, and the button wants somebody signed in."""
    try:
        invitation = members.find_invitation(text=token, now=timezone.now())
        if request.method == "POST" and request.user.is_authenticated:
            account = members.accept(by=principal(request), text=token)
            request.session.pop(INVITATION_KEY, None)
            messages.success(request, _("You are a member of %(account)s now.") % {"account": account.name})
            return redirect("images", account.handle)
    except Absent:
        return render(request, "accounts/link_dead.html", {"kind": "invitation"}, status=404)
    if not request.user.is_authenticated:
        request.session[INVITATION_KEY] = token
    context = {"invitation": invitation, "signup": settings.SIGNUP != "closed"}
    return render(request, "accounts/invitation.html", context)
