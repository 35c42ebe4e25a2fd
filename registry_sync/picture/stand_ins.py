"""What the panel itself put under a tag for a moment, to remove it: no image, and never part of the picture."""

from collections.abc import Collection

from registry_sync.models import RemovalItem


def among(digests: Collection[str]) -> set[str]:
    """Those of `digests` that are stand-ins; see removal/stand_in.py."""
    if not digests:
        return set()
    rows = RemovalItem.objects.filter(stand_in__in=list(digests))
    return set(rows.values_list("stand_in", flat=True))
