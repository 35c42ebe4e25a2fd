"""By when the next backup is to be made: for the doctor, for System and for metrics."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import AuditEvent
from registry_sync.models import Backup


def due_at(last: Backup | None) -> datetime | None:
    """Return the moment; None where BACKUP_DAYS is 0, or nothing has happened yet that a backup could hold."""
    if not settings.BACKUP_DAYS:
        return None
    since = last.at if last else AuditEvent.objects.order_by("id").values_list("at", flat=True).first()
    return since + timedelta(days=settings.BACKUP_DAYS) if since else None
