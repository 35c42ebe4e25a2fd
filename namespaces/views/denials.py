"""The denied requests of an account, and the permission that would have allowed one."""

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

from accounts import permissions as account_permissions
from accounts.access_denials import KEPT, KEPT_FOR, KEPT_OF_ACCOUNT
from accounts.common.errors import Invalid, NotFound
from accounts.models import Denial
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from accounts.views.column_sort import column_sorts, sort_options
from accounts.views.form_errors import next_url, put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import access_check, denial_list, grant_text, permissions, selectors
from namespaces.access import Action, Level
from namespaces.denial_list import DenialFilter
from namespaces.denial_recheck import current_remedy
from namespaces.forms import AllowForm, DenialFilterForm
from namespaces.names import is_repository
from namespaces.services import grants
from namespaces.smallest_grant import RemedyKind
from namespaces.views import denial_fixes, grant_targets
from namespaces.views.navigation import access_context

# Which way a column is sorted when it is chosen first, and what its two ways are called.
_FIRST_SORT = {"user": "user", "repository": "repository", "denied": "-denied", "count": "-count"}
_SORT_TEXTS: dict[str, Promise] = {
    denial_list.NEWEST: gettext_lazy("Newest first"),
    "denied": gettext_lazy("Oldest first"),
    "-count": gettext_lazy("Most often first"),
    "count": gettext_lazy("Least often first"),
    "user": gettext_lazy("User, A to Z"),
    "-user": gettext_lazy("User, Z to A"),
    "repository": gettext_lazy("Image, A to Z"),
    "-repository": gettext_lazy("Image, Z to A"),
}


@tab("access")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def denials(request: PersonRequest, handle: str) -> HttpResponse:
    account = account_permissions.account(principal(request), handle)
    form = DenialFilterForm(request.GET)
    form.is_valid()  # what is not valid narrows nothing
    chosen = {name: value for name, value in form.cleaned_data.items() if value}
    sort = request.GET.get("sort", "")
    sort = sort if sort in denial_list.SORTS else denial_list.NEWEST
    kept = chosen | ({} if sort == denial_list.NEWEST else {"sort": sort})
    names = {"q": "search", "user": "username"}
    page = denial_list.denial_page(
        account,
        DenialFilter(**{names.get(name, name): value for name, value in chosen.items()}),
        sort=sort,
        cursor=request.GET.get("page", ""),
        query=kept,
    )
    denial_fixes.add_fixes(account, page.rows, here=request.get_full_path())
    context = access_context(account, "denials") | {
        "form": form,
        "page": page,
        "filtered": bool(chosen),
        "scope": [(name, chosen[name]) for name in ("user", "namespace", "repository") if name in chosen],
        "columns": column_sorts(_FIRST_SORT, sort, kept, usual=denial_list.NEWEST),
        "sorts": sort_options(_SORT_TEXTS, sort, denial_list.NEWEST),
        "dropped": denial_list.dropped_count(account),
        "days": KEPT_FOR.days,
        "most": KEPT,
        "most_of_account": KEPT_OF_ACCOUNT,
        "why_not": denial_reason(account, Permission.GRANTS_MANAGE),
    }
    return render(request, "namespaces/denials.html", context)


@tab("access")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def allow(request: PersonRequest, handle: str, id: int) -> HttpResponse:  # noqa: A002
    """Give the smallest permission that allows what was denied, or what the form makes of it."""
    return _allow(request, handle, permissions.denial(principal(request), handle, id))


@tab("access")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def allow_request(
    request: PersonRequest, handle: str, username: str, action: str, repository: str
) -> HttpResponse:
    """As `allow`, for a request that nobody has made yet."""
    user = account_permissions.user(principal(request), handle, username, Permission.GRANTS_MANAGE)
    if action not in [each.value for each in Action] or not is_repository(repository):
        raise NotFound
    answer = access_check.check(user.account, user=user, action=Action(action), repository=repository)
    return _allow(request, handle, answer.as_denial)


def _allow(request: PersonRequest, handle: str, denial: Denial) -> HttpResponse:
    """`denial` was loaded through the permission; it is not stored where nobody has requested that yet."""
    by, now, account = principal(request), timezone.now(), denial.user.account
    remedy, back = current_remedy(denial), next_url(request, reverse("denials", args=[handle]))
    if remedy.kind is not RemedyKind.GRANT:
        messages.info(request, grant_text.why_no_grant(remedy.kind))
        return redirect(denial_fixes.url_of(account, denial, remedy.kind, here=back))
    places = {each.target for each in remedy.grants} | {each.namespace for each in remedy.grants}
    has = selectors.live_grants_at(denial.user, places, now)
    form = AllowForm(
        _data(request),
        grants=remedy.grants,
        there=next((each for each in has if each.image_name and len(remedy.grants) == 1), None),
        wide=[each for each in has if not each.image_name],
        now=now,
    )
    if request.method == "POST" and form.is_valid():
        try:
            grants.allow(
                by=by,
                user=denial.user,
                targets=permissions.targets(by, handle, form.names),
                level=form.cleaned_data["level"],
                expires_at=form.cleaned_data["expires_at"],
            )
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, _sentence(request, denial, form, handle))
            return redirect(back)
    context = {
        "account": account,
        "denial": denial,
        "form": form,
        "back": back,
        "asks": {"url": request.path, "form": "allow", "fields": "where,level,expiry,expires_on"},
        **_effect(request, denial, form, handle),
    }
    if request.htmx and request.htmx.target == "effect":
        return render(request, "namespaces/_effect.html", context)
    return render(request, "namespaces/allow.html", context, status=status_of(form))


def _data(request: PersonRequest) -> Any:
    """Return what is in the form; None while it is untouched."""
    if request.method == "POST":
        return request.POST
    return request.GET if request.htmx and request.htmx.target == "effect" else None


def _effect(request: PersonRequest, denial: Denial, form: AllowForm, handle: str) -> dict[str, Any]:
    """Return what the form would give, in sentences."""
    shown = form if form.is_bound else form.untouched()
    if not shown.is_valid():
        return {"effect": "", "effect_problem": _("Select the last day.")}
    targets = permissions.targets(principal(request), handle, shown.names)
    notes = [grant_targets.not_pushed_yet(each) for each in grant_targets.unpushed_targets(targets)]
    notes += [grant_text.replaced(each) for each in shown.replaced]
    return {"effect": _sentence(request, denial, shown, handle), "effect_notes": notes}


def _sentence(request: PersonRequest, denial: Denial, form: AllowForm, handle: str) -> str:
    targets = permissions.targets(principal(request), handle, form.names)
    level = Level.of(form.cleaned_data["level"])
    return grant_text.may_sentence(denial.user.description, level, targets, form.cleaned_data["expires_at"])
