"""What the doctor found, and asking for another look. The worker looks: no page asks the registry."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.views.request import PersonRequest, principal
from registry_sync import heartbeats, installation_status, jobs, live_updates, selectors
from registry_sync.models import DiagnosticRun
from registry_sync.operations.views.navigation import operators, system_context

EARLIER = 10


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def doctor(request: PersonRequest) -> HttpResponse:
    if request.method == "POST":
        jobs.request_diagnostic_run(by=principal(request))
        return redirect("doctor")
    now = timezone.now()
    waiting = selectors.diagnostic_runs().exclude(state=DiagnosticRun.State.DONE).first()
    note = live_updates.note_of_diagnostic_run(request, waiting) if waiting else ""
    newest = list(selectors.diagnostic_runs()[: EARLIER + 1])
    done = [row for row in newest if row.state == DiagnosticRun.State.DONE]
    newer = [
        row
        for row in newest
        if row.state != DiagnosticRun.State.DONE and now - row.requested_at < jobs.DIAGNOSTIC_RUN_LIFETIME
    ]
    context = {
        "checkup": done[0] if done else None,
        "asked": newer[0] if newer else None,
        "live": note,
        "outdated": bool(done) and installation_status.changed_since(request.user, done[0].finished_at),
        "worker_silent": heartbeats.is_silent(heartbeats.worker_at(), now),
    }
    if request.htmx:
        return render(request, "registry_sync/_doctor.html", context)
    context |= system_context("doctor") | {"earlier": done[1:]}
    return render(request, "registry_sync/doctor.html", context)
