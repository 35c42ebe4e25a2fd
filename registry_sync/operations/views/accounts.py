"""All accounts of the installation: the list, the page of one, and what an operator does to it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import limits, reauthentication, selectors
from accounts.common.errors import Conflict, Invalid
from accounts.common.pagination import paginate
from accounts.models import Account, Member
from accounts.services import account_limits, members, suspension
from accounts.views.column_sort import list_url, sort_options
from accounts.views.confirmation import Question, ask, asks, last_use_of
from accounts.views.form_errors import put_errors
from accounts.views.request import PersonRequest, principal
from accounts.views.user_status import StatusBadge
from namespaces.selectors import public_namespace_count
from registry_sync.limits import OF_ACCOUNT
from registry_sync.operations import account_list, account_service, permissions
from registry_sync.operations.account_list import BY_HANDLE, BY_SIZE
from registry_sync.operations.views.audit_lines import audit_lines
from registry_sync.operations.views.navigation import operators, system_context

OWNERS_SHOWN = 2

_STATE_TEXTS: dict[str, Promise] = {
    "": gettext_lazy("All"),
    "open": gettext_lazy("Open"),
    "suspended": gettext_lazy("Suspended"),
    "closed": gettext_lazy("Closed"),
    "ownerless": gettext_lazy("No owner who can sign in"),
}
_SORT_TEXTS: dict[str, Promise] = {
    BY_HANDLE: gettext_lazy("Handle, A to Z"),
    BY_SIZE: gettext_lazy("Largest first"),
}
BADGES = {
    "open": StatusBadge(gettext_lazy("open"), "none"),
    "suspended": StatusBadge(gettext_lazy("suspended"), "bad"),
    "closed": StatusBadge(gettext_lazy("closed"), "none"),
}


@dataclass(frozen=True)
class AccountRow:
    """`owners`: the first OWNERS_SHOWN, `more` how many others."""

    account: Account
    badge: StatusBadge
    owners: list[Member]
    more: int


class LimitsForm(forms.Form):
    """A field for each limit of an account, named by its key; an empty one follows the setting."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for each in OF_ACCOUNT:
            self.fields[each.key] = forms.IntegerField(
                label=capfirst(str(each.name)),
                required=False,
                min_value=0,
                max_value=account_limits.MOST,
                widget=forms.NumberInput({"placeholder": _setting(each)}),
            )


class OwnerForm(forms.Form):
    email = forms.CharField(label=gettext_lazy("Email address"), max_length=254)


@operators
@require_safe
@vary_on_headers("HX-Request")
def accounts(request: PersonRequest) -> HttpResponse:
    search, state, sort = (request.GET.get(name, "") for name in ("q", "state", "sort"))
    search = search.strip()
    state = state if state in account_list.STATES else ""
    sort = sort if sort in account_list.SORTS else BY_HANDLE
    kept = {"q": search, "state": state, "sort": "" if sort == BY_HANDLE else sort}
    found = account_list.accounts(search=search, state=state, sort=sort)
    page = paginate(found, cursor=request.GET.get("page", ""), query=kept)
    context = system_context("system-accounts") | {
        "page": page,
        "rows": _rows(page.rows),
        "query": search,
        "state": state,
        "states": [
            (text, list_url(kept | {"state": each}), each == state) for each, text in _STATE_TEXTS.items()
        ],
        "sorts": sort_options(_SORT_TEXTS, sort, BY_HANDLE),
    }
    fragment = request.htmx and request.htmx.target == "accounts"
    name = "registry_sync/_accounts.html" if fragment else "registry_sync/system_accounts.html"
    return render(request, name, context)


@operators
@require_safe
def account(request: PersonRequest, account_handle: str) -> HttpResponse:
    return _page(request, permissions.account(principal(request), account_handle))


@operators
@asks
def suspend(request: PersonRequest, account_handle: str) -> HttpResponse:
    by = principal(request)
    found = permissions.account(by, account_handle)
    if request.method != "POST":
        return ask(request, _suspending(found))
    reauthentication.confirm(request)
    try:
        suspension.suspend(by=by, account=found)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(account)s is suspended.") % {"account": found})
    return redirect("system-account", account_handle)


@operators
@require_POST
def restore(request: PersonRequest, account_handle: str) -> HttpResponse:
    by = principal(request)
    found = permissions.account(by, account_handle)
    try:
        account_service.restore(by=by, account=found)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(account)s is restored.") % {"account": found})
    return redirect("system-account", account_handle)


@operators
@require_POST
def change_limits(request: PersonRequest, account_handle: str) -> HttpResponse:
    by = principal(request)
    found = permissions.account(by, account_handle)
    form = LimitsForm(request.POST)
    if form.is_valid():
        account_limits.change(by=by, account=found, limits=OF_ACCOUNT, values=form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("system-account", account_handle)
    return _page(request, found, limits_form=form)


@operators
@require_POST
def assign_owner(request: PersonRequest, account_handle: str) -> HttpResponse:
    by = principal(request)
    found = permissions.account(by, account_handle)
    form = OwnerForm(request.POST)
    if form.is_valid():
        reauthentication.confirm(request)
        try:
            member = members.assign_owner(by=by, account=found, email=form.cleaned_data["email"])
        except Invalid as error:
            put_errors(form, error)
        else:
            words = {"person": member.person, "account": found}
            messages.success(request, _("%(person)s is an owner of %(account)s now.") % words)
            return redirect("system-account", account_handle)
    return _page(request, found, owner_form=form)


def _page(
    request: PersonRequest,
    found: Account,
    *,
    limits_form: LimitsForm | None = None,
    owner_form: OwnerForm | None = None,
) -> HttpResponse:
    """With what was wrong with one of its forms, if something was."""
    own = {each.key: each.own(found) for each in OF_ACCOUNT}
    context = system_context("system-accounts") | {
        "account": found,
        "state": account_list.state_of(found),
        "badge": BADGES[account_list.state_of(found)],
        "members": list(selectors.members_of(found)),
        "limits": limits.holdings(OF_ACCOUNT, found),
        "limits_form": limits_form or LimitsForm(initial=own),
        "owner_form": owner_form or OwnerForm(),
        "lines": audit_lines(account_list.events_of(found)),
    }
    wrong = limits_form or owner_form
    return render(request, "registry_sync/system_account.html", context, status=400 if wrong else 200)


def _rows(found: list[Account]) -> list[AccountRow]:
    owners = account_list.owners(found)
    return [
        AccountRow(
            each,
            BADGES[account_list.state_of(each)],
            owners[each.pk][:OWNERS_SHOWN],
            max(0, len(owners[each.pk]) - OWNERS_SHOWN),
        )
        for each in found
    ]


def _suspending(found: Account) -> Question:
    last = selectors.last_used_of(found)
    count: int = found.user_count  # type: ignore[attr-defined]
    users = ngettext(
        "%(n)s user gets no tokens any more: it can neither pull nor push.",
        "%(n)s users get no tokens any more: they can neither pull nor push.",
        count,
    )
    public = public_namespace_count(found)
    words = ngettext(
        "Nobody can pull the images of its %(n)s public namespace.",
        "Nobody can pull the images of its %(n)s public namespaces.",
        public,
    )
    return Question(
        title=_("Suspend %(account)s?") % {"account": found},
        last_use=last_use_of(last) if last else "",
        stops=[
            users % {"n": count},
            *([words % {"n": public}] if public else []),
            _("Tokens that clients already have work until they end, within minutes."),
            _(
                "Its members see this on its pages. They can still sign in and make changes. The sync goes on, "
                "retention rules do not run, and nothing is deleted."
            ),
        ],
        button=_("Suspend account"),
        back=reverse("system-account", args=[found.handle]),
    )


def _setting(limit: limits.Limit[Account]) -> str:
    most = limit.most_by_setting()
    return _("no limit") if most is None else str(most)
