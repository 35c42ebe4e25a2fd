"""What happened in an account, one line for each, in words; and the same as a file."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.common import time_zones
from accounts.common.pagination import paginate
from accounts.views.form_errors import status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces.activity import export
from namespaces.activity.entries import entries_of
from namespaces.activity.lines import lines_of
from namespaces.activity.sources import sources
from namespaces.forms import ActivityForm


@login_required
@require_safe
@tab("activity")
def activity(request: PersonRequest, handle: str) -> HttpResponse:
    account = permissions.account(principal(request), handle)
    form = _form(request)
    asked = form.asked()
    query = {name: request.GET.get(name, "") for name in form.cleaned_data}
    filtered = any(query.values())
    if asked.since or asked.until:
        query["zone"] = str(form.zone)
    page = paginate(*sources(account, asked), cursor=request.GET.get("page", ""), query=query)
    kept = urlencode({name: value for name, value in query.items() if value})
    context = {
        "account": account, "form": form, "page": page, "lines": lines_of(account, entries_of(page.rows)),
        "filtered": filtered, "zone": str(form.zone), "query": query.get("q", ""), "kept": kept,
    }  # fmt: skip
    return render(request, "namespaces/activity.html", context, status=status_of(form))


@login_required
@require_safe
def download(request: PersonRequest, handle: str, format: str) -> HttpResponse | StreamingHttpResponse:
    """Answer all of what the page with the same filter shows, as a file."""
    account = permissions.account(principal(request), handle)
    form = _form(request)
    if not form.is_valid():
        return activity(request, handle)  # the page says what is wrong with the filter
    return export.response(account, form.asked(), export.Format(format))


def _form(request: HttpRequest) -> ActivityForm:
    # The address names the zone of its days: who gets it sees the same rows.
    zone = time_zones.named(request.GET.get("zone", "")) or timezone.get_current_timezone()
    form = ActivityForm(request.GET, zone=zone)
    form.is_valid()  # what is not valid says so beside its field, and narrows nothing
    return form
