"""Tags as lists show them: what a row needs of tag, manifest and pusher, without models, which cost as much again."""

from datetime import datetime
from typing import Any, Protocol

from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import RegistryUser
from namespaces.models import ManifestSummary, Tag

_COLUMNS = (
    "id", "image_id", "name", "manifest_id", "size", "sort_key", "pushed_at", "pushed_by", "pulled_at",
    "pull_count", "missing_since", "unreadable_since",
)  # fmt: skip
_OF_MANIFEST = ("kind", "artifact_type", "media_type", "platforms")


class ListedTag(ManifestSummary, Protocol):
    """A row. `pusher`: the description of the account's user `pushed_by`, None if unknown or deleted."""

    id: int
    image_id: int
    name: str
    manifest_id: str
    size: int
    sort_key: str
    pushed_at: datetime
    pushed_by: str
    pulled_at: datetime  # NEVER if it never was
    pull_count: int
    missing_since: datetime | None
    unreadable_since: datetime | None
    pusher: str | None


def listed(tags: QuerySet[Tag], *, account: int) -> "QuerySet[Tag, Any]":
    """Return ListedTag for each; `account`: the one that all of them belong to."""
    users = RegistryUser.objects.filter(account=account, username=OuterRef("pushed_by")).order_by()
    found = tags.annotate(  # type: ignore[no-redef]
        pusher=Subquery(users.values("description")[:1]),
        **{name: F(f"manifest__{name}") for name in _OF_MANIFEST},
    )
    return found.values_list(*_COLUMNS, *_OF_MANIFEST, "pusher", named=True)
