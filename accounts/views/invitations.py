"""Invitations: making a link and showing it once, withdrawing it, and following it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions
from accounts.common.errors import Invalid, NotFound
from accounts.models import Invitation
from accounts.roles import Permission
from accounts.services import invitations as service
from accounts.templatetags.formatting import word
from accounts.views import form_nonce, opened_links
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.settings import show_settings


@login_required
@require_POST
@tab("settings")
@never_cache
def invite(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = permissions.account(by, handle, Permission.MEMBERS_MANAGE)
    try:
        if not form_nonce.spend(request):
            messages.info(
                request,
                _("This form was already submitted; its link is in the list. Withdraw it if it was lost."),
            )
            return redirect("account-settings", handle)
        invitation, text = service.invite(by=by, account=account, role=request.POST.get("role", ""))
    except Invalid as error:
        return show_settings(request, account, invitation_problem=error.message)
    context = {
        "account": account,
        "invitation": invitation,
        "link": settings.PUBLIC_URL + reverse("invitation-link", args=[text]),
    }
    return render(request, "accounts/invitation_link.html", context)


@login_required
@asks
@tab("settings")
def withdraw(request: PersonRequest, handle: str, invitation_id: int) -> HttpResponse:
    by = principal(request)
    invitation = permissions.invitation(by, handle, invitation_id)
    if request.method != "POST":
        return ask(request, _withdrawing(invitation))
    try:
        service.withdraw(by=by, invitation=invitation)
    except NotFound:
        messages.info(request, _("That invitation is no longer open; the list shows its state."))
    else:
        messages.success(request, _("Withdrawn. The link no longer works."))
    return redirect("account-settings", handle)


def _withdrawing(invitation: Invitation) -> Question:
    words = {"role": word(invitation.role), "maker": invitation.created_by, "who": invitation.used_by}
    return Question(
        title=_("Withdraw the invitation as %(role)s?") % words,
        last_use=_("%(who)s signed up with this link, but has not joined yet.") % words
        if invitation.used_by
        else "",
        stops=[
            _("The link that %(maker)s created stops working. Another can be created at any time.") % words
        ],
        button=_("Withdraw invitation"),
        back=reverse("account-settings", args=[invitation.account.handle]),
    )


@require_safe
@never_cache
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    return opened_links.open_link(request, opened_links.INVITATION, lambda: service.find(text=token))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def follow(request: HttpRequest) -> HttpResponse:
    """Show the link, which changes nothing; it is spent by the button, and the button wants somebody signed in."""
    invitation = opened_links.invitation(request)
    if not invitation:
        return opened_links.invalid(request, opened_links.INVITATION)
    if request.method == "POST" and request.user.is_authenticated:
        try:
            account = service.accept(by=principal(request), invitation=invitation)
        except NotFound:  # two clicks raced for one link
            return opened_links.invalid(request, opened_links.INVITATION)
        except Invalid as error:
            return _page(request, invitation, problem=error.message)
        opened_links.forget(request, opened_links.INVITATION)
        messages.success(request, _("You are now a member of %(account)s.") % {"account": account.name})
        return redirect("images", account.handle)
    return _page(request, invitation)


def _page(request: HttpRequest, invitation: Invitation, *, problem: str = "") -> HttpResponse:
    context = {"invitation": invitation, "signup": _may_sign_up(invitation), "problem": problem}
    return render(request, "accounts/invitation.html", context, status=400 if problem else 200)


def _may_sign_up(invitation: Invitation) -> bool:
    return settings.SIGNUP == "open" or (settings.SIGNUP == "invite" and invitation.reserved_for_id is None)
