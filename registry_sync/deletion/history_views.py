"""The page of an image's tag history."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.common.pagination import paginate
from accounts.roles import Permission
from accounts.views import button_permissions
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing import pg_plans
from namespaces.views.navigation import image_context
from registry_sync.deletion import history as tag_history


@tab("images")
@login_required
@require_safe
def history(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name)
    query = {"tag": request.GET.get("tag", "").strip()[:128]}
    with pg_plans.by_value():
        entries = tag_history.entries_of(image, tag=query["tag"])
        page = paginate(entries, cursor=request.GET.get("page", ""), query=query)
        rows = tag_history.rows_of(image, page.rows)
    context = image_context(image, "history") | {
        "query": query,
        "page": page,
        "recent_removals": tag_history.recent_removals(image),
        "rows": rows,
        "why_not": button_permissions.denial_reason(image.namespace.account, Permission.IMAGES_REMOVE),
    }
    return render(request, "registry_sync/history.html", context)
