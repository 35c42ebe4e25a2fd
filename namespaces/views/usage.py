"""How much an account or a namespace holds in the registry, where, and how it grew."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import permissions as account_permissions
from accounts.common.pagination import paginate
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors, sparkline, usage
from namespaces.models import HAS_CONTENT, Image
from namespaces.views.navigation import namespace_context


@tab("images")
@login_required
@require_safe
def account(request: PersonRequest, handle: str) -> HttpResponse:
    found = account_permissions.account(principal(request), handle)
    context = {
        "account": found,
        "stored": usage.newest(found),
        "shared": usage.shared_by_namespaces(found),
        "namespaces": selectors.namespaces_of(found, now=timezone.now()).order_by("-stored_bytes", "name"),
    }
    series = usage.history(found, since=usage.first_day())
    return _answer(request, context, series, Image.objects.filter(namespace__account=found))


@tab("images")
@login_required
@require_safe
def namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    found = permissions.namespace(principal(request), handle, name)
    context = namespace_context(found, "images") | {"stored": usage.newest(found.account, found)}
    series = usage.history(found.account, since=usage.first_day(), namespace=found)
    return _answer(request, context, series, Image.objects.filter(namespace=found))


def _answer(
    request: PersonRequest, context: dict[str, Any], series: list[tuple[date, int]], images: QuerySet[Image]
) -> HttpResponse:
    grown = series[-1][1] - series[0][1] if len(series) > 1 else 0
    images = images.select_related("namespace__account").order_by("-stored_bytes", "-id")
    context |= {
        "counted_at": context["stored"].counted_at,
        "zone": settings.TIME_ZONE,
        "grown": max(grown, 0),
        "shrunk": max(-grown, 0),
        "series": series,
        "most": max((stored_bytes for _day, stored_bytes in series), default=0),
        "line": sparkline.line(series),
        "area": sparkline.area(series),
        "box": f"0 -2 {sparkline.WIDTH} {sparkline.HEIGHT + 4}",
        "holds_images": images.filter(HAS_CONTENT).exists(),
        "page": paginate(images, cursor=request.GET.get("page", "")),
    }
    return render(request, "namespaces/usage.html", context)
