"""The events that the registry sent, and what became of them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.common.pagination import paginate
from accounts.views.form_errors import next_url
from accounts.views.request import PersonRequest, principal
from registry_sync import selectors
from registry_sync.operations import permissions, service
from registry_sync.operations.views.navigation import operators, system_context


@operators
@require_safe
def inbox(request: PersonRequest) -> HttpResponse:
    asked = request.GET.get("state", "")
    which = asked if asked in selectors.EVENT_STATES else ""
    found = paginate(selectors.events(which), cursor=request.GET.get("page", ""), query={"state": which})
    context = system_context("system-events") | {
        "page": found,
        "which": which,
        "counts": selectors.event_counts(),
    }
    return render(request, "registry_sync/system_events.html", context)


@operators
@require_POST
def retry(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    service.retry_event(by=by, event=permissions.event(by, id))
    messages.success(request, _("The event will be retried."))
    return redirect(next_url(request, "/system/events/"))


@operators
@require_POST
def retry_all(request: PersonRequest) -> HttpResponse:
    count = service.retry_failed_events(by=principal(request))
    words = ngettext("%(count)s event will be retried.", "%(count)s events will be retried.", count)
    messages.success(request, words % {"count": count})
    return redirect("system-events")
