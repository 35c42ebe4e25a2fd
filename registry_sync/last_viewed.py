"""Which images people look at: those are read first. Noted in memory, and written later: a page writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.common.fair_share import Owner
from accounts.write_behind import Batch
from registry_sync.models import Repository

MOST = 1000
WRITE_INTERVAL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ImageView:
    repository: str
    at: datetime

    @property
    def owner(self) -> Owner:
        return 0, ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.repository,)

    @property
    def count(self) -> int:
        return 0  # nobody misses one that found no place


def _write(notes: list[ImageView]) -> None:
    for look in notes:
        rows = Repository.objects.filter(name=look.repository)
        rows.filter(Q(last_viewed_at=None) | Q(last_viewed_at__lt=look.at - WRITE_INTERVAL)).update(
            last_viewed_at=look.at
        )


image_views = Batch("looks", _write, most=MOST, each=MOST)
