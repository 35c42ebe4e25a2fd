"""Keeps what the doctor found, and does what was asked for."""

from django.db import transaction
from django.utils import timezone

from accounts.common import clock
from registry_sync.doctor.runner import run_checks
from registry_sync.models import DiagnosticRun


def run_waiting() -> None:
    """Do each run that waits; two workers never do the same."""
    while row := _take():
        row.results = [result.as_row() for result in run_checks(clock.now())]
        row.state, row.finished_at = DiagnosticRun.State.DONE, timezone.now()
        row.save()


@transaction.atomic
def _take() -> DiagnosticRun | None:
    row = DiagnosticRun.objects.filter(state=DiagnosticRun.State.WAITING).order_by("id").first()
    if not row:
        return None
    now = timezone.now()
    mine = DiagnosticRun.objects.filter(pk=row.pk, state=DiagnosticRun.State.WAITING)
    if not mine.update(state=DiagnosticRun.State.RUNNING, started_at=now):
        return None
    row.refresh_from_db()
    return row
