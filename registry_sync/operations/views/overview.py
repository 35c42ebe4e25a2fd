"""How it all goes: the parts that must live, the sync runs, and a run that waits for a decision."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import outbox
from accounts.common.errors import Invalid
from accounts.common.pagination import paginate
from accounts.selectors import accounts_of, dropped
from accounts.views.request import PersonRequest, principal
from registry_sync import installation_status, jobs, selectors
from registry_sync.models import DiagnosticRun
from registry_sync.operations import permissions, restoration, service
from registry_sync.operations.installation import installation
from registry_sync.operations.views.navigation import operators, system_context
from registry_sync.reclaim import runs as reclaims

RUNS_SHOWN, QUARANTINED_SHOWN = 20, 100


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: PersonRequest) -> HttpResponse:
    if request.method == "POST":
        jobs.request_sync(by=principal(request))
        return redirect("system")
    return _page(request)


@operators
@require_POST
def approve(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    run = permissions.run_needing_approval(by, id)
    try:
        service.approve_deletions(by=by, run=run, confirmation=request.POST.get("confirm", ""))
    except Invalid as error:
        return _page(request, problem=error.message)
    messages.success(request, _("The next sync deletes from the panel what is no longer in the registry."))
    return redirect("system")


@operators
@require_POST
def retry_quarantined(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    by = principal(request)
    row = permissions.quarantined_work(by, id)
    service.retry_quarantined(by=by, row=row)
    messages.success(request, _("%(what)s will be retried.") % {"what": row})
    return redirect("system")


def _page(request: PersonRequest, *, problem: str = "") -> HttpResponse:
    checkup = selectors.diagnostic_runs().filter(state=DiagnosticRun.State.DONE).first()
    context = (
        system_context("system")
        | _restored(request)
        | {
            "page": paginate(selectors.runs(), cursor=request.GET.get("page", ""), size=RUNS_SHOWN),
            "held": selectors.run_needing_approval(),
            "rollback": selectors.rolled_back(timezone.now()),
            "approval_phrase": service.APPROVAL_PHRASE,
            "problem": problem,
            "pulses": selectors.component_health(timezone.now()),
            "event_at": selectors.last_event_at(),
            "agreed": selectors.is_approved(),
            "checkup": checkup,
            "outdated": checkup is not None
            and installation_status.changed_since(request.user, checkup.finished_at),
            "counts": selectors.event_counts(),
            "mails": outbox.counts(),
            "mail_problem": outbox.last_problem(),
            "dropped": dropped(),
            "clock_at": selectors.clock_went_back(timezone.now()),
            "leap_at": selectors.clock_ran_ahead(timezone.now()),
            "quarantined": selectors.quarantined()[:QUARANTINED_SHOWN],
            "quarantined_count": selectors.quarantined().count(),
            "installation": installation(),
            "reclaim": reclaims.last(),
            "reclaim_at_work": reclaims.is_at_work(timezone.now()),
        }
    )
    return render(request, "registry_sync/system.html", context, status=400 if problem else 200)


def _restored(request: PersonRequest) -> dict[str, Any]:
    now = timezone.now()
    row = restoration.recent_restoration(now)
    if row is None:
        return {}
    return {
        "restoration": row,
        "ended": restoration.ended_since(row),
        "may_have_ended": restoration.may_have_ended(row, now),
        "own_accounts": {account.pk for account in accounts_of(person_id=request.user.pk)},
    }
