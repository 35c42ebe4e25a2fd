import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from registry_sync.doctor.result import MARKS, Result, State
from registry_sync.doctor.runner import run_checks
from registry_sync.models import DiagnosticRun

FAILED, NOT_CHECKED = 1, 2  # exit codes


class Command(BaseCommand):
    help = (
        "Looks at the whole installation, and says what is wrong and which line to change. Exit code 1 when a check "
        "failed, 2 when none did and one could not be made; 0 also where some were not run yet."
    )
    requires_system_checks = ()  # what they would say, it says itself

    def handle(self, *_args: Any, **_options: Any) -> None:
        started, found = timezone.now(), []
        for result in run_checks(started):
            found.append(result)
            self._say(result)
        row = DiagnosticRun(
            state=DiagnosticRun.State.DONE,
            requested_by="manage.py doctor",
            started_at=started,
            finished_at=timezone.now(),
            results=[result.as_row() for result in found],
        )
        try:
            row.save()
        except DatabaseError:
            self.stdout.write("(Not kept: the database does not take it.)")
        states = [result.finding.state for result in found]
        failed, unknown = states.count(State.FAIL), states.count(State.SKIPPED)
        said = [f"{failed} of {len(found)} checks failed" if failed else "No check failed"]
        said += [f"{unknown} could not be made"] if unknown else []
        said += [f"{waiting} not run yet"] if (waiting := states.count(State.PENDING)) else []
        self.stdout.write(f"\n{'; '.join(said)}.")
        sys.exit(FAILED if failed else NOT_CHECKED if unknown else 0)

    def _say(self, result: Result) -> None:
        finding = result.finding
        self.stdout.write(f"{MARKS[finding.state]} {result.title}: {finding.text}")
        for fix in finding.fixes:
            self.stdout.write(f"    {fix.where}")
            for line in fix.lines.splitlines():
                self.stdout.write(f"        {line}")
        self.stdout.flush()
