"""What an index says of its platforms follows from their manifests, whichever was seen first and wherever that was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf

from accounts.common.batches import batches
from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.inventory.parser import TOTAL_MAX, annotated_created_at
from registry_sync.models import Repository

NESTING_MAX = 10  # an index in an index in an index …


class _ChildTotals(NamedTuple):
    size: int
    created_at: datetime | None
    platform: str  # as its config says, of an image


def update_indexes(digests: Collection[str]) -> None:
    """Of the indexes among these, and of those that list them; in the caller's transaction."""
    changed = set(digests)
    for _round in range(NESTING_MAX):
        todo, changed = _indexes(changed), set()
        for batch in batches(sorted(todo)):
            rows = list(
                Manifest.objects.filter(digest__in=batch, kind="index").defer("body_zlib", "media_type")
            )
            totals = _child_totals({entry["digest"] for row in rows for entry in row.platforms})
            blob_bytes = _blob_bytes([row.digest for row in rows])
            changed |= {row.digest for row in rows if _sum_up(row, totals, blob_bytes.get(row.digest, 0))}
        for digest in sorted(changed):
            update_manifest(digest, {})
        if not changed:
            return


@transaction.atomic
def update_manifest(digest: str, values: Mapping[str, Any]) -> None:
    """Write `values` and, of an index, what follows from what it lists; and what its tags and images say of it."""
    row = Manifest.objects.select_for_update(no_key=True).defer("body_zlib").get(pk=digest)
    for name, value in values.items():
        setattr(row, name, value)
    if row.kind == "index":
        totals = _child_totals({entry["digest"] for entry in row.platforms})
        _sum_up(row, totals, _blob_bytes([digest]).get(digest, 0))
    row.save(update_fields=[*values, "description", "size", "created_at", "platforms"])
    resized = Tag.objects.filter(manifest=digest)
    if not values:  # else it may also say of itself what it did not before
        resized = resized.exclude(size=row.size)
    # As in write_tag_changes: who writes tags meanwhile counts them too, and takes his turn.
    holding = Image.objects.filter(tags__in=resized).distinct()
    list(Repository.objects.select_for_update().filter(image__in=holding).order_by("name"))
    images = list(holding)
    resized.update(size=row.size)
    count_tags(images)


def count_tags(images: Collection[Image], *, with_history: bool = False) -> None:
    """Count what lists and open pages want to know of images' tags without asking them: in one statement for all.

    `with_history`: their histories have grown, and open pages are to look.
    """
    tags = Tag.objects.filter(image=OuterRef("pk"), technical=False)
    newest = tags.order_by(*Tag.NEWEST_FIRST)
    history = TagHistoryEntry.objects.filter(image=OuterRef("pk")).order_by("-id")
    count = tags.order_by().values("image").annotate(count=Count("*")).values("count")
    values: dict[str, Combinable] = {
        "tag_count": Coalesce(Subquery(count), 0),
        "latest_tag": Coalesce(Subquery(newest.values("name")[:1]), Value("")),
        "size": Coalesce(Subquery(newest.values("size")[:1]), 0),
        "pushed_at": Coalesce(Subquery(newest.values("pushed_at")[:1]), F("pushed_at")),
        "pushed_description": _description(),
    }
    if with_history:
        values["newest_history_id"] = Coalesce(Subquery(history.values("id")[:1]), F("newest_history_id"))
    for batch in batches([image.pk for image in images]):
        Image.objects.filter(pk__in=batch).update(untagged_count=0, **values)


def _description() -> Combinable:
    """Return the description that the newest tag's manifest brings, or else one of a platform that the image holds."""
    newest = Tag.objects.filter(technical=False).order_by(*Tag.NEWEST_FIRST)
    manifest = newest.filter(image=OuterRef(OuterRef("pk"))).values("manifest")
    held = RepositoryManifest.objects.filter(image=OuterRef(OuterRef("pk")), manifest=OuterRef("digest"))
    said = Manifest.objects.filter(pk=OuterRef("digest")).exclude(description="")
    platforms = (
        Descriptor.objects.filter(Exists(held), kind=Descriptor.Kind.MANIFEST)
        .filter(manifest=Subquery(manifest[:1]))
        .annotate(said=Subquery(said.values("description")))
        .exclude(said=None)
    )
    return Coalesce(
        NullIf(Subquery(newest.filter(image=OuterRef("pk")).values("manifest__description")[:1]), Value("")),
        Subquery(platforms.order_by("id").values("said")[:1]),
        Value(""),
    )


def _indexes(digests: Collection[str]) -> set[str]:
    found = set(digests)
    for batch in batches(sorted(digests)):
        parts = Descriptor.objects.filter(digest__in=batch, kind=Descriptor.Kind.MANIFEST)
        found |= set(parts.values_list("manifest_id", flat=True))
    return found


def _child_totals(digests: Collection[str]) -> dict[str, _ChildTotals]:
    found: dict[str, _ChildTotals] = {}
    for batch in batches(sorted(digests)):
        rows = Manifest.objects.filter(digest__in=batch)
        for digest, kind, size, created, listed in rows.values_list(
            "digest", "kind", "size", "created_at", "platforms"
        ):
            platform = listed[0]["platform"] if kind == "image" and listed else ""
            found[digest] = _ChildTotals(size, created, platform)
    return found


def _blob_bytes(indexes: Sequence[str]) -> dict[str, int]:
    """Of the blobs that they list themselves, as a build cache does."""
    blobs = Descriptor.objects.filter(manifest__in=indexes).exclude(kind=Descriptor.Kind.MANIFEST)
    return dict(blobs.values_list("manifest_id").annotate(Sum("size")))


def _sum_up(row: Manifest, totals: Mapping[str, _ChildTotals], blob_bytes: int) -> bool:
    """Return True when that changes it."""
    before = (row.size, row.created_at, row.platforms)
    row.platforms = [_entry(entry, totals.get(entry["digest"])) for entry in row.platforms]
    sizes = {entry["digest"]: entry["size"] or 0 for entry in row.platforms}
    row.size = min(blob_bytes + sum(sizes.values()), TOTAL_MAX)
    moments = [moment for digest in sizes.keys() & totals.keys() if (moment := totals[digest].created_at)]
    row.created_at = max(moments, default=annotated_created_at(row.details))
    return before != (row.size, row.created_at, row.platforms)


def _entry(entry: Mapping[str, Any], totals: _ChildTotals | None) -> dict[str, Any]:
    """Return the entry. What is not here has no size; what is listed without its platform has that of its config."""
    if not totals:
        return {**entry, "size": None}
    return {**entry, "size": totals.size, "platform": entry["platform"] or totals.platform}
