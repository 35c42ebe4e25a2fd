"""How many bytes the manifests themselves are, where an older build stored them without."""

import zlib

from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from namespaces.models import Descriptor, Manifest

AT_ONCE, BATCH = 20_000, 500


def weigh(most: int = AT_ONCE, *, batch: int = BATCH) -> int:
    """Count up to `most` manifests. Return how many were counted.

    Of one whose body was too long to be kept, an index that lists it knows its size; else it counts for nothing.
    """
    counted = 0
    while counted < most:
        rows = Manifest.objects.filter(body_bytes=None).order_by("digest").only("digest", "body_zlib")
        found = list(rows[:batch])
        for row in found:
            row.body_bytes = len(zlib.decompress(row.body_zlib)) if row.body_zlib else None
        Manifest.objects.bulk_update([row for row in found if row.body_bytes is not None], ["body_bytes"])
        _as_listed([row.digest for row in found if row.body_bytes is None])
        counted += len(found)
        if len(found) < batch:
            break
    return counted


def _as_listed(digests: list[str]) -> None:
    listed = Descriptor.objects.filter(digest=OuterRef("digest"), kind=Descriptor.Kind.MANIFEST).order_by()
    size = listed.values("digest").annotate(most=Max("size")).values("most")
    Manifest.objects.filter(digest__in=digests).update(body_bytes=Coalesce(Subquery(size), 0))
