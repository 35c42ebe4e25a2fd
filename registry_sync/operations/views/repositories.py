"""Repositories and names that no namespace has, to be given to an account; and repositories that cannot be read."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.common.errors import Invalid
from accounts.common.pagination import paginate
from accounts.models import Account
from accounts.views.request import PersonRequest, principal
from registry_sync import selectors
from registry_sync.operations import permissions, service
from registry_sync.operations.views.navigation import operators, system_context

GROUPS, TROUBLED, NAMES, SUGGESTED = 100, 50, 200, 200


@operators
@require_safe
def repositories(request: PersonRequest) -> HttpResponse:
    after = request.GET.get("after", "")
    troubled, troubled_count = selectors.with_problems(TROUBLED)
    groups = selectors.unassigned_groups(after=after, most=GROUPS + 1)
    context = system_context("system-repositories") | {
        "groups": groups[:GROUPS],
        "after": groups[GROUPS - 1].first if len(groups) > GROUPS else "",
        "page": paginate(
            selectors.reserved_names(), cursor=request.GET.get("page", ""), query={"after": after}
        ),
        "troubled": troubled,
        "troubled_count": troubled_count,
    }
    return render(request, "registry_sync/system_repositories.html", context)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: PersonRequest, first: str) -> HttpResponse:
    by = principal(request)
    permissions.unassigned_name(by, first)
    if request.method == "POST":
        try:
            namespace = service.assign(by=by, first=first, handle=request.POST.get("handle", ""))
        except Invalid as error:
            return _one(request, first, problem=error.message)
        words = {"name": first, "account": namespace.account.name}
        messages.success(request, _("%(name)s now belongs to %(account)s; a sync reads its tags.") % words)
        return redirect("system-repositories")
    return _one(request, first)


@operators
@require_POST
def release(request: PersonRequest, first: str) -> HttpResponse:
    by = principal(request)
    permissions.unassigned_name(by, first)
    try:
        service.release_name(by=by, name=first, confirmation=request.POST.get("confirm", ""))
    except Invalid as error:
        return _one(request, first, error=error.message)
    messages.success(request, _("%(name)s is available to any account now.") % {"name": first})
    return redirect("system-repositories")


def _one(request: PersonRequest, first: str, *, problem: str = "", error: str = "") -> HttpResponse:
    """`problem` of giving it, `error` of clearing it."""
    name, rows = permissions.unassigned_name(principal(request), first)
    context = system_context("system-repositories") | {
        "first": first, "name": name, "count": len(rows), "rows": rows[:NAMES], "problem": problem, "error": error,
        "why_not": service.assign_problem(first, rows), "typed": request.POST.get("handle", ""),
        "why_not_clear": service.release_problem(name, timezone.now()) if name else "",
        "accounts": Account.objects.filter(closed_at=None).order_by("handle")[:SUGGESTED],
    }  # fmt: skip
    status = 400 if problem or error else 200
    return render(request, "registry_sync/system_assign.html", context, status=status)
