"""What the database says, asked at each scrape: the same on every replica.

Each statement reads some thousands of rows at most, by an index or from the end of a table. Counts end at
METRICS_COUNTED_MAX.
"""

from datetime import datetime

from django.db import connection
from django.utils import timezone

from manager.metrics import content_gauges, health_gauges, work_gauges
from manager.metrics.gauge import Gauge
from registry_sync import installation_status


def collect() -> list[Gauge]:
    """Return all of them. Raise a database error."""
    now, read_only = _look()
    return [
        *health_gauges.signs(now, read_only=read_only),
        *health_gauges.audit_log(),
        *health_gauges.backups(),
        *work_gauges.due(now),
        *work_gauges.events(now),
        *work_gauges.checks(now),
        *work_gauges.left_over(now),
        *content_gauges.credentials(now),
        *content_gauges.webhooks(now),
        *content_gauges.usage(),
    ]


def _look() -> tuple[datetime, bool]:
    """Return the database's clock, and whether it takes no changes."""
    if connection.vendor != "postgresql":
        return timezone.now(), installation_status.is_read_only_file()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), current_setting('transaction_read_only') = 'on'")
        now, read_only = cursor.fetchone()
    return now, read_only
