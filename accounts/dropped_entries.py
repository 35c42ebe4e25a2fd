"""What found no place in its share of a bound (fair_share.py): counted, and said to whom it belongs."""

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import Error, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import DropCounter

KEPT_FOR = timedelta(days=30)
WRITE_EVERY = 1.0  # seconds


def note(kind: str, counts: Mapping[str, int], now: datetime) -> None:
    """Add `counts` by username; "" where nobody had signed in. In the caller's transaction."""
    rows = [
        DropCounter(kind=kind, username=username, first_at=now, last_at=now) for username in sorted(counts)
    ]
    DropCounter.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        DropCounter.objects.filter(kind=kind, username=row.username).update(
            count=F("count") + counts[row.username], last_at=now
        )


class Tally:
    """Of what is turned away one by one, in a flood: whoever comes a second after the last write makes the next."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._count, self._at = 0, float("-inf")

    def add(self, count: int = 1) -> None:
        with self._lock:
            self._count += count

    def write(self) -> None:
        with self._lock:
            if not self._count or time.monotonic() - self._at < WRITE_EVERY:
                return
            count, self._count, self._at = self._count, 0, time.monotonic()
        try:
            with transaction.atomic():
                note(self._kind, {"": count}, timezone.now())
        except Error:
            self.add(count)


def forget_old(now: datetime) -> None:
    DropCounter.objects.filter(last_at__lt=now - KEPT_FOR).delete()
