"""The members of an account: another role, removal, leaving."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import gate
from accounts.errors import Invalid, Refused
from accounts.pages.http import PersonRequest, principal
from accounts.services import members


@login_required
@require_POST
def change_role(request: PersonRequest, handle: str, person_id: int) -> HttpResponse:
    by = principal(request)
    member = gate.member(by, handle, person_id)
    try:
        members.change_role(by=by, member=member, role=request.POST.get("role", ""))
    except (Invalid, Refused) as error:
        messages.error(request, error.message)
    else:
        words = {"person": str(member.person), "role": member.get_role_display()}
        messages.success(request, _("%(person)s is %(role)s now.") % words)
    return redirect("account-settings", handle)


@login_required
@require_POST
def remove(request: PersonRequest, handle: str, person_id: int) -> HttpResponse:
    by = principal(request)
    member = gate.member(by, handle, person_id)
    try:
        members.remove(by=by, member=member)
    except Refused as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(person)s is no member any more.") % {"person": str(member.person)})
        if person_id == by.id:
            return redirect("home")
        messages.info(
            request, _("Passwords of users that they know go on working; replace them on the users' pages.")
        )
    return redirect("account-settings", handle)


@login_required
@require_POST
def leave(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    member = gate.membership(by, handle)
    try:
        members.remove(by=by, member=member)
    except Refused as error:
        messages.error(request, error.message)
        return redirect("account-settings", handle)
    messages.success(request, _("You have left %(account)s.") % {"account": member.account.name})
    return redirect("home")
