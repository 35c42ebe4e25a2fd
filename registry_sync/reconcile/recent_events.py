"""Tags of which an event is newer than what a run has read, or may be: the event's own question settles those."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from accounts.common.batches import batches
from registry_sync.models import Event

TAG_LINK_DELAY = timedelta(
    minutes=1
)  # until then the registry may still answer what the tag pointed at before


def tags_since(began: datetime, repositories: Collection[str]) -> dict[str, set[str]]:
    """Return repository → tags: reported since `began`, or shortly before it and not confirmed yet."""
    found: dict[str, set[str]] = defaultdict(set)
    for batch in batches(list(repositories)):
        named = _newer_events(began).filter(repository__in=batch).exclude(tag="")
        for repository, tag in named.values_list("repository", "tag"):
            found[repository].add(tag)
    return found


def repositories_since(began: datetime) -> set[str]:
    """Likewise of repositories: that something was pushed to them."""
    return set(_newer_events(began).filter(action="push").values_list("repository", flat=True))


def _newer_events(began: datetime) -> QuerySet[Event]:
    newer = Q(received_at__gte=began) | Q(applied_at__isnull=False, due_at__isnull=False)
    return (
        Event.objects.filter(newer, received_at__gte=began - TAG_LINK_DELAY).exclude(action="pull").order_by()
    )
