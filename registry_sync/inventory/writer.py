"""The only writer of manifests and tags, in the caller's transaction."""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.common.batches import BATCH, batches
from namespaces.models import (
    Descriptor,
    Image,
    Label,
    Manifest,
    PullStats,
    RepositoryManifest,
    Tag,
    TagHistoryEntry,
)
from namespaces.webhooks import outbox
from registry_sync.inventory import index_totals
from registry_sync.inventory.fetcher import ManifestRef, ReadResult
from registry_sync.inventory.index_totals import count_tags
from registry_sync.inventory.parser import ParsedManifest
from registry_sync.inventory.tag_timeline import Move, TagChange, Timeline
from registry_sync.leases import fenced
from registry_sync.models import Repository

COMPLETED_FIELDS = "kind artifact_type subject size created_at platforms details".split()
FIRST_RETRY = timedelta(minutes=10)  # until what was not complete is read again for the first time


TagKey = tuple[Image, str]


@dataclass(slots=True)
class StoredTimeline:
    """A timeline with the tag's row, None while there is none."""

    timeline: Timeline = field(default_factory=Timeline)
    row: Tag | None = None


def stored_sizes(digests: Iterable[str]) -> dict[str, int]:
    """Of these digests those already stored, with their sizes."""
    found: dict[str, int] = {}
    for batch in batches(list(digests)):
        found.update(Manifest.objects.filter(digest__in=batch).values_list("digest", "size"))
    return found


def store_reading(
    reading: ReadResult, roots: Collection[ManifestRef], *, again: bool = False
) -> set[ManifestRef]:
    """Store what was read below `roots`, and that their repositories hold it. Return what of it is known now.

    Of `roots` themselves only what is missing of them is noted here, unless they are read `again`: their tags say that
    they are there.
    """
    read = reading.read
    digests = {ref.digest for ref in read}
    store_manifests([row for row in reading.manifests.values() if row.digest in digests])
    due = reading.due & read - (set(roots) if again else set())
    present_in: dict[str, set[str]] = defaultdict(set)
    for ref in read - set(roots) | due:
        present_in[ref.repository].add(ref.digest)
    for repository, present in present_in.items():
        record_read(repository, present, {ref.digest for ref in due if ref.repository == repository})
    return read


@transaction.atomic
@fenced
def record_read(repository: str, there: set[str], due: set[str]) -> None:
    row = Repository.objects.select_for_update(of=("self",)).select_related("image")
    found = row.filter(name=repository).exclude(image=None).first()
    if found and found.image:
        record_present(found.image, there)
        missing = RepositoryManifest.objects.filter(image=found.image, manifest__in=due)
        missing.update(due_at=timezone.now() + FIRST_RETRY)


@transaction.atomic
@fenced
def store_manifests(manifests: Iterable[ParsedManifest]) -> None:
    """Manifests never change, so one that is there already, and whole, is right already."""
    rows = sorted(manifests, key=lambda manifest: manifest.digest)
    digests = [manifest.digest for manifest in rows]
    incomplete = set[str]()
    for batch in batches(digests):
        stored = Manifest.objects.filter(digest__in=batch, complete=False)
        incomplete |= set(stored.values_list("digest", flat=True))
    # In order: two who store the same ones wait for each other one way.
    Manifest.objects.bulk_create([_row(manifest) for manifest in rows], BATCH, ignore_conflicts=True)
    parts = [
        Descriptor(manifest_id=manifest.digest, kind=part.kind, digest=part.digest, size=part.size)
        for manifest in rows
        for part in manifest.parts
    ]
    Descriptor.objects.bulk_create(parts, BATCH, ignore_conflicts=True)
    labels = [
        Label(manifest_id=manifest.digest, key=key, value=value)
        for manifest in rows
        for key, value in manifest.details.get("config", {}).get("labels", {}).items()
    ]
    Label.objects.bulk_create(labels, BATCH, ignore_conflicts=True)
    for manifest in rows:
        if (
            manifest.digest in incomplete and manifest.complete
        ):  # something of it did not come when it was first seen
            index_totals.update_manifest(
                manifest.digest,
                {name: getattr(manifest, name) for name in COMPLETED_FIELDS} | {"complete": True},
            )
    index_totals.update_indexes(digests)


def write_tag_changes(image: Image, changes: Sequence[TagChange], *, how: TagHistoryEntry.How) -> int:
    """Make tags come, point elsewhere or go, write their history, and count anew. Return how many changed.

    The manifests are stored already. A change to where the tag points already is none.
    """
    return write_changes_of_images({image: changes}, how=how)


@transaction.atomic(savepoint=False)
@fenced
def write_changes_of_images(changes: Mapping[Image, Sequence[TagChange]], *, how: TagHistoryEntry.How) -> int:
    """Do the same in several images, with a few statements for all.

    The caller has locked their repositories, without waiting for one while it holds another.
    """
    entries: list[TagHistoryEntry] = []
    # First, so that two writers of one repository take their turn, and whoever read before reads again.
    for images in batches(list(changes)):
        Repository.objects.filter(image__in=images).update(version=F("version") + 1)
    for batch in batches([(image, change) for image, some in changes.items() for change in some]):
        entries += _write_batch({(image, change.tag): change for image, change in batch}, how)
    if entries:
        TagHistoryEntry.objects.bulk_create(entries, BATCH)
        outbox.record_moves(entries)
        record_all_present({(entry.image, entry.new): None for entry in entries if entry.new})
        count_tags({entry.image: None for entry in entries}, with_history=True)
    return len(entries)


@transaction.atomic(savepoint=False)
@fenced
def write_timelines(timelines: Mapping[TagKey, StoredTimeline]) -> None:
    """Write what was recorded in them, and count anew: of several images, in a statement for each kind of row.

    The caller has locked their repositories, and the manifests are stored already.
    """
    new, changed, named = list[TagHistoryEntry](), list[TagHistoryEntry](), list[TagHistoryEntry]()
    for (image, tag), stored in timelines.items():
        for move in stored.timeline.moves:
            if move.pk is None or move.changed:
                entry = _history_entry(image, tag, move)
                (changed if move.pk else new).append(entry)
                if move.pk and move.named:
                    named.append(entry)
    TagHistoryEntry.objects.bulk_create(new, BATCH)
    TagHistoryEntry.objects.bulk_update(changed, ["old", "at", "by", "how"], BATCH)
    outbox.record_moves(new, named)
    moved = {key: stored for key, stored in timelines.items() if stored.timeline.tag_moved}
    redated = {key: stored for key, stored in timelines.items() if stored.timeline.tag_redated}
    if moved or redated:
        _write_tags(moved | redated)
    if held := {
        (image, digest): None for (image, _), stored in moved.items() for digest in stored.timeline.held
    }:
        record_all_present(held)
    once_held = {
        (image, digest): None
        for (image, _tag), stored in timelines.items()
        for digest in stored.timeline.was_held
    }
    RepositoryManifest.objects.bulk_create(_held_rows(once_held), BATCH, ignore_conflicts=True)
    count_tags({image: None for image, _tag in moved}, with_history=True)
    count_tags({image: None for image, _tag in redated if (image, _tag) not in moved})


def _history_entry(image: Image, tag: str, move: Move) -> TagHistoryEntry:
    return TagHistoryEntry(
        pk=move.pk, image=image, tag=tag, old=move.old, new=move.new, at=move.at, by=move.by, how=move.how
    )


def _write_tags(timelines: Mapping[TagKey, StoredTimeline]) -> None:
    """Write new ones and others in one statement: nobody else writes these images' tags meanwhile."""
    sizes = stored_sizes({stored.timeline.tag.digest for stored in timelines.values() if stored.timeline.tag})
    rows, new = list[Tag](), list[Tag]()
    for (image, name), stored in timelines.items():
        state, row = stored.timeline.tag, stored.row
        assert state
        tag = Tag(
            image=image,
            name=name,
            manifest_id=state.digest,
            size=sizes[state.digest],
            pushed_at=state.pushed_at,
            pushed_by=state.pushed_by,
        )
        if row and not stored.timeline.tag_moved:
            tag.missing_since, tag.unreadable_since = row.missing_since, row.unreadable_since
        if first_seen_at := stored.timeline.first_seen_at:
            tag.first_seen_at = first_seen_at
            new.append(tag)
        rows.append(tag)
    if new:
        _restore_pull_counts(new)
    Tag.objects.bulk_create(
        rows,
        BATCH,
        update_conflicts=True,
        unique_fields=["image", "name"],
        update_fields=["manifest", "size", "pushed_at", "pushed_by", "missing_since", "unreadable_since"],
    )


def any_of(keys: Iterable[TagKey], column: str) -> Q:
    """By image: a product of all images and all tags would be looked up for nothing."""
    names: dict[Image, list[str]] = defaultdict(list)
    for image, tag in keys:
        names[image].append(tag)
    return reduce(or_, (Q(image=image, **{f"{column}__in": tags}) for image, tags in names.items()))


@transaction.atomic(savepoint=False)
@fenced
def record_present(image: Image, digests: Iterable[str]) -> None:
    """Note that the registry holds these in the image's repository. What they list it may hold or not."""
    record_all_present((image, digest) for digest in digests)


@transaction.atomic(savepoint=False)
@fenced
def record_all_present(held: Iterable[tuple[Image, str]]) -> None:
    """Note the same of several images."""
    RepositoryManifest.objects.bulk_create(
        _held_rows(held),
        BATCH,
        update_conflicts=True,
        unique_fields=["image", "manifest"],
        update_fields=["gone_at"],
    )


def _held_rows(held: Iterable[tuple[Image, str]]) -> list[RepositoryManifest]:
    return [RepositoryManifest(image=image, manifest_id=digest) for image, digest in held]


@transaction.atomic(savepoint=False)
@fenced
def count_untagged(*images: Image) -> None:
    """Of images that never had a tag what was pushed by digest alone."""
    never = Image.objects.filter(pk__in=[image.pk for image in images], newest_history_id=0, tag_count=0)
    held = RepositoryManifest.objects.filter(image=OuterRef("pk"), gone_at=None).order_by()
    count = held.values("image").annotate(count=Count("*")).values("count")
    never.update(
        untagged_count=Coalesce(Subquery(count), 0),
        pushed_at=Coalesce("pushed_at", Value(timezone.now())),
    )


def _restore_pull_counts(tags: Sequence[Tag]) -> None:
    """Tell tags that come back of their pulls from before they went."""
    images, names = {tag.image_id for tag in tags}, {tag.name for tag in tags}
    rows = PullStats.objects.filter(image__in=images, tag__in=names).values_list("image_id", "tag")
    pulled = {(image, tag): pulls for image, tag, *pulls in rows.annotate(Sum("count"), Max("last_at"))}
    for tag in tags:
        if pulls := pulled.get((tag.image_id, tag.name)):
            tag.pull_count, tag.pulled_at = pulls


def _write_batch(
    changes: Mapping[tuple[Image, str], TagChange], how: TagHistoryEntry.How
) -> list[TagHistoryEntry]:
    stored = Tag.objects.filter(
        image__in={image for image, _name in changes}, name__in={name for _image, name in changes}
    )
    rows = {(tag.image_id, tag.name): tag for tag in stored}
    sizes = stored_sizes({change.digest for change in changes.values()} - {""})
    new: list[Tag] = []
    moved: list[Tag] = []
    gone: list[Tag] = []
    entries: list[TagHistoryEntry] = []
    for (image, name), change in changes.items():
        tag = rows.get((image.pk, name))
        old = tag.manifest_id if tag else ""
        if old == change.digest:
            continue
        entries.append(
            TagHistoryEntry(
                image=image, tag=name, old=old, new=change.digest, at=change.at, by=change.by, how=how
            )
        )
        if not change.digest:
            gone += [tag] if tag else []
            continue
        tag = tag or Tag(image=image, name=name, first_seen_at=change.at)
        (moved if tag.pk else new).append(tag)
        tag.manifest_id, tag.size = change.digest, sizes[change.digest]
        # `by` of the panel is a person; a tag names users.
        tag.pushed_at, tag.missing_since, tag.unreadable_since = change.at, None, None
        tag.pushed_by = "" if how == TagHistoryEntry.How.PANEL else change.by
    if new:
        _restore_pull_counts(new)
        Tag.objects.bulk_create(new)
    if moved:
        fields = ["manifest", "size", "pushed_at", "pushed_by", "missing_since", "unreadable_since"]
        Tag.objects.bulk_update(moved, fields)
    if gone:
        Tag.objects.filter(pk__in=[tag.pk for tag in gone]).delete()
    return entries


def _row(manifest: ParsedManifest) -> Manifest:
    return Manifest(
        digest=manifest.digest,
        media_type=manifest.media_type,
        artifact_type=manifest.artifact_type,
        kind=manifest.kind,
        size=manifest.size,
        created_at=manifest.created_at,
        platforms=manifest.platforms,
        details=manifest.details,
        subject=manifest.subject,
        body_zlib=zlib.compress(manifest.body) if manifest.body else b"",
        complete=manifest.complete,
        body_bytes=manifest.body_bytes,
    )
