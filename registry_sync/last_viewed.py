"""Which images people look at: those are read first. Noted in memory, and written later: a page writes nothing."""

from datetime import timedelta

from django.db.models import Q

from accounts.write_behind import Batch, SeenNote
from registry_sync.models import Repository

MOST = 1000
WRITE_INTERVAL = timedelta(minutes=10)


def _write(notes: list[SeenNote]) -> None:
    for look in notes:
        rows = Repository.objects.filter(name=look.name)
        rows.filter(Q(last_viewed_at=None) | Q(last_viewed_at__lt=look.at - WRITE_INTERVAL)).update(
            last_viewed_at=look.at
        )


image_views = Batch("looks", _write, most=MOST, each=MOST)
