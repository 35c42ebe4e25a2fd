"""What a user did lately with the images of its account, and from where as far as that is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from accounts.models import RegistryUser
from namespaces.models import Image, PullStats, TagHistoryEntry

SHOWN_MAX = 10
_HISTORY_READ = 10 * SHOWN_MAX  # a pipeline pushes the same tag again and again


class UseKind(StrEnum):
    PULLED = "pulled"
    PUSHED = "pushed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RecentUse:
    """The last time of each kind for a tag, or (`tag` "") for a digest that was pulled directly.

    `count`, `address` and `client` are known of pulls alone: 0 and "" otherwise.
    """

    kind: UseKind
    image: Image
    tag: str
    digest: str
    at: datetime
    count: int = 0
    address: str = ""
    client: str = ""


def recent_uses(user: RegistryUser) -> list[RecentUse]:
    """Return at most SHOWN_MAX, the latest first. Two statements."""
    found = [*_pulls(user), *_changes(user)]
    return sorted(found, key=lambda each: each.at, reverse=True)[:SHOWN_MAX]


def _pulls(user: RegistryUser) -> Iterator[RecentUse]:
    rows: QuerySet[PullStats] = PullStats.objects.filter(
        username=user.username, count__gt=0, image__namespace__account=user.account_id
    )
    rows = rows.select_related("image__namespace__account").order_by("-last_at")
    for row in rows[:SHOWN_MAX]:
        yield RecentUse(
            UseKind.PULLED, row.image, row.tag, row.digest, row.last_at, row.count, row.address, row.client
        )


def _changes(user: RegistryUser) -> Iterator[RecentUse]:
    rows = TagHistoryEntry.objects.filter(by=user.username, image__namespace__account=user.account_id)
    seen: set[tuple[UseKind, int, str]] = set()
    for row in rows.select_related("image__namespace__account").order_by("-at")[:_HISTORY_READ]:
        kind = UseKind.PUSHED if row.new else UseKind.REMOVED
        key = (kind, row.image_id, row.tag)
        if key not in seen:
            seen.add(key)
            yield RecentUse(kind, row.image, row.tag, row.new or row.old, row.at)
