"""Lines of the audit log, as an operator's page shows the newest of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.audit_actions import AuditAction
from accounts.models import AuditEvent


@dataclass(frozen=True)
class AuditLine:
    """`deed` stands between the names: "Ann | disabled the person | Ben"."""

    at: datetime
    actor: str
    deed: str
    object: str
    address: str


def audit_lines(events: Iterable[AuditEvent]) -> list[AuditLine]:
    labels = {each.value: each.label for each in AuditAction}
    return [
        AuditLine(
            event.at,
            event.actor,
            str(labels.get(event.action, event.action)),
            event.object,
            event.address,
        )
        for event in events
    ]
