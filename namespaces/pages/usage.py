"""How much an account holds in the registry, where, and how it grew."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import gate as accounts_gate
from accounts.pages.http import PersonRequest, principal, tab
from accounts.paging import paginate
from namespaces import chart, usage
from namespaces.models import Image, Namespace


@tab("images")
@login_required
@require_GET
def account(request: PersonRequest, handle: str) -> HttpResponse:
    found = accounts_gate.account(principal(request), handle)
    series = usage.history(found, since=timezone.localdate() - timedelta(days=usage.DAYS))
    grown = series[-1][1] - series[0][1] if len(series) > 1 else 0
    total, sum_of_parts = usage.of_account(found), usage.sum_of_namespaces(found)
    images = Image.objects.filter(namespace__account=found).select_related("namespace__account")
    context = {
        "account": found,
        "total": total,
        "shared": max(sum_of_parts - total, 0),
        "grown": max(grown, 0),
        "shrunk": max(-grown, 0),
        "series": series,
        "most": max((octets for _day, octets in series), default=0),
        "line": chart.line(series),
        "area": chart.area(series),
        "box": f"0 -2 {chart.WIDTH} {chart.HEIGHT + 4}",
        "namespaces": Namespace.objects.filter(account=found)
        .order_by("-octets", "name")
        .select_related("account"),
        "page": paginate(images.order_by("-octets", "-id"), cursor=request.GET.get("page", "")),
    }
    return render(request, "namespaces/usage.html", context)
