import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts import audit_chain
from accounts.models import AuditSeal


class Command(BaseCommand):
    help = "Says whether the audit log is as it was sealed, hour by hour. Exit code 1 when it is not."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = list(audit_chain.problems())
        for problem in found:
            self.stdout.write(problem.text)
        if found:
            sys.exit(1)
        last = AuditSeal.objects.last()
        whole = (
            f"The audit log is whole up to event {last.last_event_id}: {last.digest}."
            if last
            else "Nothing is sealed yet."
        )
        self.stdout.write(whole)
