"""What the panel itself put under a tag for a moment, to remove it: no image, and never part of the inventory."""

from collections.abc import Collection

from django.db.models import QuerySet

from registry_sync.models import RemovalItem


def all_digests() -> QuerySet[RemovalItem, str]:
    """Their digests."""
    return RemovalItem.objects.exclude(placeholder_digest="").values_list("placeholder_digest", flat=True)


def among(digests: Collection[str]) -> set[str]:
    """Those of `digests` that are placeholders; see deletion/placeholder.py."""
    if not digests:
        return set()
    return set(all_digests().filter(placeholder_digest__in=list(digests)))
