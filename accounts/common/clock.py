"""The clock that all parts of the installation share: the database's. Machines differ, and their clocks jump."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

APART: Final = timedelta(minutes=1)  # by which the clocks of two machines may differ


def now() -> datetime:
    """For what another process compares with its own time. SQLite's clock is this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
