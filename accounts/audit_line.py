"""An event of the audit log as a page shows it, in words."""

from dataclasses import dataclass

from accounts.models import AuditEvent


@dataclass(frozen=True)
class AuditLine:
    event: AuditEvent
    deed: str
    changes: list[tuple[str, str | None, str | None]]  # (field, before, after); None where there was none
