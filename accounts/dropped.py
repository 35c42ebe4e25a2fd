"""What found no place in its share of a bound (shares.py): counted, and said to whom it belongs."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F

from accounts.models import Dropped

KEPT_FOR = timedelta(days=30)


def note(kind: str, counts: Mapping[str, int], now: datetime) -> None:
    """`counts` by username; "" where nobody had signed in. In the caller's transaction."""
    rows = [Dropped(kind=kind, username=username, first_at=now, last_at=now) for username in sorted(counts)]
    Dropped.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        Dropped.objects.filter(kind=kind, username=row.username).update(
            count=F("count") + counts[row.username], last_at=now
        )


def forget_old(now: datetime) -> None:
    Dropped.objects.filter(last_at__lt=now - KEPT_FOR).delete()
