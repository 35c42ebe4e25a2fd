"""Repositories that nobody owns, to be given to an account; and those that cannot be read."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import Invalid
from accounts.models import Account
from accounts.pages.http import PersonRequest, principal
from registry_sync import gate, operating, selectors
from registry_sync.pages.system.frame import operators, system_context

GROUPS, TROUBLED, NAMES, SUGGESTED = 100, 50, 200, 200


@operators
@require_safe
def repositories(request: PersonRequest) -> HttpResponse:
    troubled, troubled_count = selectors.troubled(TROUBLED)
    groups = selectors.unclaimed_groups(after=request.GET.get("after", ""), most=GROUPS + 1)
    context = system_context("system-repositories") | {
        "groups": groups[:GROUPS],
        "after": groups[GROUPS - 1].first if len(groups) > GROUPS else "",
        "troubled": troubled,
        "troubled_count": troubled_count,
    }
    return render(request, "registry_sync/system_repositories.html", context)


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: PersonRequest, first: str) -> HttpResponse:
    by = principal(request)
    rows, problem = gate.unclaimed(by, first), ""
    if request.method == "POST":
        try:
            namespace = operating.give(by=by, first=first, handle=request.POST.get("handle", ""))
        except Invalid as error:
            problem = error.message
        else:
            words = {"name": first, "account": namespace.account.name}
            messages.success(
                request, _("%(name)s belongs to %(account)s now; a sync reads its tags.") % words
            )
            return redirect("system-repositories")
    context = system_context("system-repositories") | {
        "first": first, "count": len(rows), "rows": rows[:NAMES], "problem": problem,
        "why_not": operating.why_not(first, rows), "typed": request.POST.get("handle", ""),
        "accounts": Account.objects.filter(closed_at=None).order_by("handle")[:SUGGESTED],
    }  # fmt: skip
    return render(request, "registry_sync/system_give.html", context, status=400 if problem else 200)
