"""The members of an account: another role, removal, leaving."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import permissions, selectors
from accounts.common.errors import Forbidden, Invalid
from accounts.models import Member
from accounts.roles import Role
from accounts.services import members
from accounts.templatetags.cells import when
from accounts.templatetags.formatting import word
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal, tab


@login_required
@asks
@tab("settings")
def change_role(request: PersonRequest, handle: str, person_id: int) -> HttpResponse:
    """Ask only who gives up their own: any other role can be given back."""
    by = principal(request)
    member = permissions.member(by, handle, person_id)
    role = request.POST.get("role") or request.GET.get("role", "")
    own = person_id == by.id and role in set(Role) - {Role.OWNER}
    if request.method != "POST":
        return ask(request, _stepping_down(member, role)) if own else redirect("account-settings", handle)
    if own and "sure" not in request.POST:
        return redirect(f"{request.path}?role={role}")
    try:
        members.change_role(by=by, member=member, role=role)
    except (Invalid, Forbidden) as error:
        messages.error(request, error.message)
    else:
        words = {"person": str(member.person), "role": member.get_role_display()}
        messages.success(request, _("%(person)s is now %(role)s.") % words)
    return redirect("account-settings", handle)


@login_required
@asks
@tab("settings")
def remove(request: PersonRequest, handle: str, person_id: int) -> HttpResponse:
    by = principal(request)
    member = permissions.member(by, handle, person_id)
    if request.method != "POST":
        return ask(request, _leaving(member) if person_id == by.id else _removing(member))
    try:
        members.remove(by=by, member=member)
    except Forbidden as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(person)s is no longer a member.") % {"person": str(member.person)})
        if person_id == by.id:
            return redirect("home")
        messages.info(
            request, _("Any user passwords that they know keep working; replace them on the users’ pages.")
        )
    return redirect("account-settings", handle)


@login_required
@asks
@tab("settings")
def leave(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    member = permissions.membership(by, handle)
    if request.method != "POST":
        return ask(request, _leaving(member))
    try:
        members.remove(by=by, member=member)
    except Forbidden as error:
        messages.error(request, error.message)
        return redirect("account-settings", handle)
    messages.success(request, _("You have left %(account)s.") % {"account": member.account.name})
    return redirect("home")


def _removing(member: Member) -> Question:
    last, name = selectors.last_deed_of(member), str(member.person)
    words = (
        _("{name} last changed something here {when}.")
        if last
        else _("{name} has never changed anything here.")
    )
    return Question(
        title=_("Remove %(person)s from %(account)s?") % {"person": name, "account": member.account.name},
        last_use=format_html(words, name=name, when=when(last)),
        stops=[
            _("%(person)s and their API tokens lose access to this account at once.") % {"person": name},
            *(
                [
                    _(
                        "Their groups at the sign-in provider make them a member again when they next sign in there."
                    )
                ]
                if member.group_role
                else []
            ),
            *_void(member),
            _("Any user passwords that they know keep working; replace them on the users’ pages."),
        ],
        button=_("Remove member"),
        back=reverse("account-settings", args=[member.account.handle]),
    )


def _leaving(member: Member) -> Question:
    return Question(
        title=_("Leave %(account)s?") % {"account": member.account.name},
        stops=[
            _("You and your API tokens lose access to it at once."),
            *_void(member),
            _("Only an owner of it can invite you again."),
        ],
        button=_("Leave account"),
        back=reverse("account-settings", args=[member.account.handle]),
    )


def _stepping_down(member: Member, role: str) -> Question:
    account = {"account": member.account.name, "role": word(role)}
    return Question(
        title=_("Become %(role)s of %(account)s?") % account,
        stops=[
            _("You can no longer invite, remove and change members, rename the account or close it."),
            _("Only another owner can make you owner again."),
        ],
        button=_("Become %(role)s") % account,
        back=reverse("account-settings", args=[member.account.handle]),
        fields={"role": role, "sure": "yes"},
    )


def _void(member: Member) -> list[str]:
    count = selectors.live_invitations_by(member)
    words = ngettext(
        "%(n)s open invitation link stops working.", "%(n)s open invitation links stop working.", count
    )
    return [words % {"n": count}] if count else []
