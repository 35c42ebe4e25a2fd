"""An owner requires a second factor of the members of an account, or no longer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import permissions, reauthentication
from accounts.common.errors import Invalid
from accounts.models import Account, Person
from accounts.roles import Permission
from accounts.services import second_factors
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal, tab

NAMED = 10


@login_required
@asks
@tab("settings")
def require(request: PersonRequest, handle: str) -> HttpResponse:
    """Turn it on where it is off, and off where it is on."""
    by = principal(request)
    account = permissions.account(by, handle, Permission.SECOND_FACTOR_REQUIRE)
    required = not account.second_factor_required
    if request.method != "POST":
        return ask(request, _question(account, required=required))
    reauthentication.confirm(request)
    try:
        second_factors.require_in_account(
            by=by, account=account, required=request.POST.get("required") == "yes"
        )
    except Invalid as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Saved."))
    return redirect("account-settings", handle)


def _question(account: Account, *, required: bool) -> Question:
    back = reverse("account-settings", args=[account.handle])
    if not required:
        return Question(
            title=_("No longer require a second factor?"),
            stops=[
                _("Members can get into the account with their password alone. Their second factors stay.")
            ],
            button=_("No longer require it"),
            back=back,
            fields={"required": "no"},
        )
    without = second_factors.members_without(account)
    tokens = _("Their API tokens are denied in this account until then. Registry users are not affected.")
    return Question(
        title=_("Require a second factor of the members?"),
        stops=[shut_out(without), *([tokens] if without.exists() else [])],
        button=_("Require it"),
        back=back,
        fields={"required": "yes"},
    )


def shut_out(without: QuerySet[Person]) -> str:
    """Return who must set one up first: how many they are, and the first of them."""
    count, named = without.count(), list(without.values_list("email", flat=True)[:NAMED])
    if not count:
        return _("Everybody affected already has one.")
    words = ngettext(
        "%(n)s person has none, and must set one up to go on: %(names)s.",
        "%(n)s people have none, and must set one up to go on: %(names)s.",
        count,
    )
    return words % {"n": count, "names": ", ".join(named) + (" …" if count > NAMED else "")}
