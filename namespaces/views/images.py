"""The account's home: its namespaces, and all images; a namespace that is chosen is opened."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import permissions as account_permissions
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors, tag_updates
from namespaces.listing import image_list
from namespaces.views.first_steps import first_steps


@login_required
@require_safe
def account(request: PersonRequest, handle: str) -> HttpResponse:
    return redirect("images", handle)


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def images(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = account_permissions.account_with_expiring(by, handle)
    if name := request.GET.get("namespace", ""):
        return redirect(permissions.namespace(by, handle, name))
    namespaces = selectors.all_namespaces(account)
    live = tag_updates.first_live_note_of_account(request, account, namespaces)
    query = {"q": request.GET.get("q", "").strip()[:200]}
    page = image_list.image_page(account, search=query["q"], cursor=request.GET.get("page", ""))
    context = {
        "account": account,
        "why_not": denial_reason(account, Permission.NAMESPACES_MANAGE),
        "may_remove": not denial_reason(account, Permission.IMAGES_REMOVE),
        "live": live,
        "ending_grants": selectors.ending_grants(account, timezone.now()),
        "namespaces": namespaces,
        "names": [each.name for each in namespaces],
        "query": query,
        "page": page,
        "cursor": request.GET.get("page", ""),
        "rows": image_list.image_rows(account, page.rows),
    }
    if not page.rows and not query["q"]:
        context["steps"] = first_steps(request, account, namespaces=namespaces)
    fragment = request.htmx and request.htmx.target == "images"
    return render(request, "namespaces/_images.html" if fragment else "namespaces/images.html", context)
