"""The users of an account with what they may do: the list, and creating one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import permissions, user_list
from accounts.common.errors import Invalid
from accounts.common.expiring import expires_soon
from accounts.models import Account, RegistryUser
from accounts.principal import Principal
from accounts.roles import Permission
from accounts.user_list import NEWEST, SORTS, STATES
from accounts.views import button_permissions, credentials_page, form_nonce
from accounts.views.column_sort import column_sorts, list_url, sort_options
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from accounts.views.user_status import user_badge
from namespaces import grant_text
from namespaces import selectors as namespace_selectors
from namespaces.access import Level
from namespaces.forms import NewUserForm
from namespaces.services import new_user
from namespaces.views import first_steps, grant_targets

_STATE_TEXTS: dict[str, Promise] = {
    "": gettext_lazy("All"),
    "unused": gettext_lazy("Never used"),
    "idle": gettext_lazy("Not used lately"),
    "expiring": gettext_lazy("Expire soon"),
    "expired": gettext_lazy("Expired"),
    "overlong": gettext_lazy("Longer than allowed"),
    "disabled": gettext_lazy("Disabled"),
}
# Which way a column is sorted when it is chosen first, and what its two ways are called.
_FIRST_SORT = {"name": "name", "used": "-used", "expires": "expires"}
_SORT_TEXTS: dict[str, Promise] = {
    NEWEST: gettext_lazy("Newest first"),
    "created": gettext_lazy("Oldest first"),
    "name": gettext_lazy("Name, A to Z"),
    "-name": gettext_lazy("Name, Z to A"),
    "-used": gettext_lazy("Last used first"),
    "used": gettext_lazy("Never used first"),
    "expires": gettext_lazy("Soonest expiry first"),
    "-expires": gettext_lazy("Latest expiry first"),
}


@login_required
@require_safe
@tab("users")
@vary_on_headers("HX-Request")
def users(request: PersonRequest, handle: str) -> HttpResponse:
    by, now, search = principal(request), timezone.now(), request.GET.get("q", "").strip()
    account = permissions.account(by, handle)
    state, sort = request.GET.get("state", ""), request.GET.get("sort", "")
    state, sort = state if state in STATES else "", sort if sort in SORTS else NEWEST
    kept = {"q": search, "state": state, "sort": "" if sort == NEWEST else sort}
    page = user_list.user_page(
        account,
        search=search,
        state=state,
        sort=sort,
        now=now,
        cursor=request.GET.get("page", ""),
        query=kept,
    )
    context = {
        "account": account,
        "page": page,
        "rows": _rows(account, page.rows, now),
        "query": search,
        "state": state,
        "kept": kept,
        "states": [
            (text, list_url(kept | {"state": each}), each == state) for each, text in _STATE_TEXTS.items()
        ],
        "columns": column_sorts(_FIRST_SORT, sort, kept, usual=NEWEST),
        "sorts": sort_options(_SORT_TEXTS, sort, NEWEST),
        "why_not": button_permissions.denial_reason(account, Permission.USERS_MANAGE),
    }
    if not page.rows and not search and not state:
        context["new_user_url"] = first_steps.new_user_url(account, _only_namespace(account))
    fragment = request.htmx and request.htmx.target == "users"
    return render(request, "namespaces/_users.html" if fragment else "namespaces/users.html", context)


def _only_namespace(account: Account) -> str:
    names = namespace_selectors.namespace_names(account)
    return names[0] if len(names) == 1 else ""


def _rows(account: Account, users: Sequence[RegistryUser], now: datetime) -> list[dict[str, Any]]:
    for user in users:
        user.account = account  # with its rules; else each row would load it
    grants = namespace_selectors.live_grants_of_users(users, now)
    return [
        {
            "user": user,
            "state": user_badge(user, now, password_ends_soon=user.password_ends_soon),
            "soon": expires_soon(user.expires_at, now),
            "may": grant_text.summary(grants[user.pk]),
        }
        for user in users
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@tab("users")
def create(request: PersonRequest, handle: str) -> HttpResponse:
    """Create a user. `?where=team/api&purpose=write` fills the form in, for links from a namespace or an image."""
    by = principal(request)
    account = permissions.account(by, handle, Permission.USERS_MANAGE)
    asked = {name: request.GET[name] for name in ("purpose", "where") if name in request.GET}
    form = NewUserForm(request.POST if request.method == "POST" else None, initial=asked, account=account)
    if form.is_valid():
        try:
            if not form_nonce.spend(request):
                messages.info(request, _("This form was already submitted; its user is in the list. If you did "
                                         "not save the password, open the user and replace it."))  # fmt: skip
                return redirect("users", handle)
            user, password = _create(by, handle, form)
        except Invalid as error:
            put_errors(
                form,
                error,
                expires_at="expires_on",
                image_name="where",
                user="like" if form.cleaned_data["like"] else "where",
            )
        else:
            if not password:
                messages.success(request, _("Created. Now choose which CI jobs may sign in as this user."))
                return redirect("trust-policy-create", handle, user.username)
            return credentials_page.show(request, user, password)
    context = {
        "account": account,
        "form": form,
        "once": form_nonce.mark(),
        "choices": namespace_selectors.target_names(account),
        "asks": _asks(account),
        **_effect(by, handle, form.cleaned_data if form.is_bound else _initial_data(form, account)),
    }
    return render(request, "namespaces/user_new.html", context, status=status_of(form))


def _create(by: Principal, handle: str, form: NewUserForm) -> tuple[RegistryUser, str]:
    fields = form.cleaned_data
    return new_user.create(
        by=by,
        account=permissions.account(by, handle, Permission.USERS_MANAGE),
        description=fields["description"],
        expires_at=fields["expires_at"],
        level=fields["purpose"],
        targets=grant_targets.parse_targets(by, handle, fields["where"]),
        like=fields["like"],
        with_password=form.with_password,
    )


@login_required
@require_safe
@tab("users")
def effect(request: PersonRequest, handle: str) -> HttpResponse:
    """Show what the user would be allowed; requested by the form while it is filled in."""
    by = principal(request)
    account = permissions.account(by, handle, Permission.USERS_MANAGE)
    form = NewUserForm(request.GET, account=account)
    form.is_valid()
    context = {"asks": _asks(account), **_effect(by, handle, form.cleaned_data)}
    return render(request, "namespaces/_effect.html", context)


def _initial_data(form: NewUserForm, account: Account) -> dict[str, Any]:
    """Return `cleaned_data` of the untouched form."""
    fresh = NewUserForm(
        {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()},
        account=account,
    )
    fresh.is_valid()
    return fresh.cleaned_data


def _asks(account: Account) -> dict[str, str]:
    """Return where _effect.html asks anew, and of which form with which fields."""
    url = reverse("user-create-preview", args=[account.handle])
    return {"url": url, "form": "new-user", "fields": "purpose,where,like,expiry,expires_on"}


def _effect(by: Principal, handle: str, fields: dict[str, Any]) -> dict[str, Any]:
    level = Level.of(fields.get("purpose") or "read")
    if "expires_at" not in fields:  # and "with no end" would be a lie
        return {"effect": "", "effect_problem": _("Select the last day.")}
    try:
        found = grant_targets.parse_targets(by, handle, fields.get("where", ""))
    except Invalid as error:
        return {"effect": "", "effect_problem": error.message}
    notes = [grant_targets.not_pushed_yet(each) for each in grant_targets.unpushed_targets(found)]
    if not (like := fields.get("like")):
        return {"effect": grant_text.effect(level, found, fields["expires_at"]), "effect_notes": notes}
    copied = namespace_selectors.live_grants_of_users([like], timezone.now())[like.pk]
    words = {"user": like.description, "permissions": grant_text.summary(copied)}
    if found:
        effect = grant_text.effect(level, found, fields["expires_at"])
        notes.insert(0, _("It also gets what %(user)s may do: %(permissions)s.") % words)
    elif copied:
        effect = _("Gets what %(user)s may do: %(permissions)s.") % words
    else:
        effect = grant_text.effect(level, found, fields["expires_at"])
        notes.insert(0, _("%(user)s has no permissions to copy.") % words)
    return {"effect": effect, "effect_notes": notes}
