"""Permissions on a namespace and on its images."""

import re
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.common.errors import Invalid
from accounts.common.pagination import paginate
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from accounts.views.column_sort import list_url
from accounts.views.confirmation import ask, asks
from accounts.views.form_errors import next_url, put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import denial_list, grant_text, selectors
from namespaces import permissions as namespaces_permissions
from namespaces.access import Level
from namespaces.denial_list import DenialFilter
from namespaces.forms import GrantChangeForm, GrantForm
from namespaces.ledger import breakage
from namespaces.listing import grant_list
from namespaces.models import Namespace
from namespaces.services import grants
from namespaces.views import user_confirmations
from namespaces.views.breakage import is_to_be_asked
from namespaces.views.denial_fixes import add_fixes
from namespaces.views.first_steps import new_user_url
from namespaces.views.grant_sorting import chosen_sort, sort_context
from namespaces.views.navigation import namespace_context

DENIALS_SHOWN = 10
_STATE_TEXTS: dict[str, Promise] = {
    "": gettext_lazy("All"),
    "ending": gettext_lazy("End soon"),
    "ended": gettext_lazy("Ended"),
    "idle": gettext_lazy("Not used lately"),
}
_LEVELS = {level.word: level for level in Level if level}
_LEVEL_FIELD = re.compile(r"level-([0-9]{1,18})-([a-z]+)", re.ASCII)


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def permissions(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by, writes = principal(request), request.method == "POST"
    namespace = namespaces_permissions.namespace(
        by, handle, name, Permission.GRANTS_MANAGE if writes else Permission.ACCOUNT_VIEW
    )
    form = GrantForm(request.POST if writes else None, account=namespace.account)
    if writes and form.is_valid():
        try:
            grants.give(by=by, namespace=namespace, **form.values)
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, _("Permission added."))
            # Nothing was pushed yet: the namespace's own page says how.
            return redirect("permissions" if selectors.has_images(namespace) else "namespace", handle, name)
    why_not, here = denial_reason(namespace.account, Permission.GRANTS_MANAGE), request.get_full_path()
    denials = denial_list.denial_page(
        namespace.account, DenialFilter(namespace=namespace.name), size=DENIALS_SHOWN
    ).rows
    add_fixes(namespace.account, denials, here=here)
    context = namespace_context(namespace, "permissions") | _listed(request, namespace)
    context |= {
        "form": form,
        "why_not": why_not,
        "new_user_url": "" if why_not or context["page"].rows else _first_user_url(namespace),
        "here": here,
        "denials": denials,
    }
    return render(request, "namespaces/permissions.html", context, status=status_of(form))


def _listed(request: PersonRequest, namespace: Namespace) -> dict[str, Any]:
    """Return the page of grants that the address asks for, and the links that filter and sort it."""
    state = request.GET.get("state", "")
    sort = chosen_sort(request.GET, grant_list.OF_NAMESPACE, grant_list.USUAL_OF_GRANTS)
    query = {
        "q": request.GET.get("q", "").strip()[:200],
        "state": state if state in selectors.GRANT_STATES else "",
        "sort": "" if sort == grant_list.USUAL_OF_GRANTS else sort,
    }
    found = selectors.grants_on(namespace, search=query["q"], state=query["state"])
    return {
        **sort_context(sort, grant_list.OF_NAMESPACE, grant_list.USUAL_OF_GRANTS, query),
        "page": paginate(
            grant_list.sort_grants(found, sort), cursor=request.GET.get("page", ""), query=query
        ),
        "query": query,
        "states": [
            (text, list_url(query | {"state": each}), each == query["state"])
            for each, text in _STATE_TEXTS.items()
        ],
    }


def _first_user_url(namespace: Namespace) -> str:
    """Return where to create the account's first user; "" when it has one."""
    return "" if selectors.has_users(namespace.account) else new_user_url(namespace.account, namespace.name)


@login_required
@require_POST
def change_levels(request: PersonRequest, handle: str) -> HttpResponse:
    """Save the levels of a list of grants, all or none: `level-<id>-<level that was shown>=<level>` each.

    Those that still say what was shown are left alone.
    """
    by = principal(request)
    fields = ((_LEVEL_FIELD.fullmatch(name), level) for name, level in request.POST.items())
    levels = {int(match[1]): str(level) for match, level in fields if match and level != match[2]}
    changed = namespaces_permissions.grants(by, handle, list(levels))
    back = next_url(request, reverse("images", args=[handle]))
    wanted = [(grant, _LEVELS[levels[grant.pk]]) for grant in changed if levels[grant.pk] in _LEVELS]
    if changed and is_to_be_asked(
        request, broken := breakage.of_levels(changed[0].namespace.account, wanted)
    ):
        given = {name: str(level) for name, level in request.POST.items() if _LEVEL_FIELD.fullmatch(name)}
        return ask(
            request, user_confirmations.lower_levels(broken, act=request.path, back=back, fields=given)
        )
    grants.change_levels(by=by, levels=[(grant, levels[grant.pk]) for grant in changed])
    if changed:
        text = ngettext("%(n)s permission changed.", "%(n)s permissions changed.", len(changed))
        messages.success(request, text % {"n": len(changed)})
    else:
        messages.info(request, _("No level was changed."))
    return redirect(back)


@tab("users")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, handle: str, id: int) -> HttpResponse:  # noqa: A002
    """Change the level and the end of one grant, ended or not."""
    by, now = principal(request), timezone.now()
    grant = namespaces_permissions.grant(by, handle, id)
    back = next_url(request, grant.user.get_absolute_url())
    form = GrantChangeForm(request.POST if request.method == "POST" else None, grant=grant, now=now)
    if form.is_valid():
        wanted = [(grant, _LEVELS[form.values["level"]])]
        given = {name: str(value) for name, value in request.POST.items() if name in form.fields}
        at_once = breakage.of_levels(grant.namespace.account, wanted)
        later = breakage.of_ended_grant(grant, form.values["expires_at"])
        if is_to_be_asked(request, later):
            broken = [each for each in (at_once, later) if each.refused]
            return ask(
                request, user_confirmations.end_grant(broken, act=request.path, back=back, fields=given)
            )
        if is_to_be_asked(request, at_once):
            return ask(
                request, user_confirmations.lower_levels(at_once, act=request.path, back=back, fields=given)
            )
        try:
            changed = grants.change(by=by, grant=grant, **form.values)
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, grant_text.grant_effect(changed))
            return redirect(back)
    context = {
        "account": grant.namespace.account,
        "grant": grant,
        "live": grant.is_live(now),
        "form": form,
        "back": back,
    }
    return render(request, "namespaces/grant.html", context, status=status_of(form))


@login_required
@asks
def remove(request: PersonRequest, handle: str, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    grant = namespaces_permissions.grant(by, handle, id)
    back = next_url(request, reverse("permissions", args=[handle, grant.namespace.name]))
    if request.method != "POST":
        return ask(request, user_confirmations.remove_grant(grant, back=back))
    grants.remove(by=by, grant=grant)
    messages.success(request, _("Permission removed. Tokens already issued expire within minutes."))
    return redirect(back)
