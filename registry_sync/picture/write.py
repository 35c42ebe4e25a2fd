"""The only writer of manifests and tags. Each call is one repository, in the caller's transaction."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Max, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from namespaces.models import Image, Label, Manifest, Part, Pull, Revision, Tag, TagMove
from registry_sync.models import Repository
from registry_sync.picture.content import ManifestValues
from registry_sync.sync.leases import fenced

BATCH = 500
ANEW = timedelta(minutes=10)  # until what was not complete is read again for the first time
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Move:
    """`tag` is to point at `digest`; "" when it is to go. `at` is when, `by` who (a username), if known."""

    tag: str
    digest: str
    at: datetime
    by: str = ""


def stored_sizes(digests: Iterable[str]) -> dict[str, int]:
    """Of these digests those already stored, with their sizes."""
    found: dict[str, int] = {}
    for batch in batches(list(digests)):
        found.update(Manifest.objects.filter(digest__in=batch).values_list("digest", "size"))
    return found


@transaction.atomic
def store_manifests(values: Iterable[ManifestValues]) -> None:
    """Manifests never change, so one that is there already is right already."""
    rows = list(_with_platforms(list(values)))
    Manifest.objects.bulk_create([_row(each) for each in rows], BATCH, ignore_conflicts=True)
    parts = [
        Part(manifest_id=each.digest, kind=part.kind, digest=part.digest, size=part.size)
        for each in rows
        for part in each.parts
    ]
    Part.objects.bulk_create(parts, BATCH, ignore_conflicts=True)
    labels = [
        Label(manifest_id=each.digest, key=key, value=value)
        for each in rows
        for key, value in each.details.get("config", {}).get("labels", {}).items()
    ]
    Label.objects.bulk_create(labels, BATCH, ignore_conflicts=True)


def _with_platforms(values: Sequence[ManifestValues]) -> Iterator[ManifestValues]:
    """What an index lists without its platform has that of its config."""
    entries = [entry for each in values if each.kind == "index" for entry in each.platforms]
    unsaid = {entry["digest"] for entry in entries if not entry["platform"]}
    told: dict[str, Any] = {}
    for some in batches(sorted(unsaid)):
        rows = Manifest.objects.filter(digest__in=some, kind="image")
        told.update(rows.values_list("digest", "platforms"))
    told |= {each.digest: each.platforms for each in values if each.kind == "image"}
    names = {digest: listed[0]["platform"] for digest, listed in told.items() if listed}
    for each in values:
        if each.kind == "index" and any(entry["digest"] in unsaid for entry in each.platforms):
            listed = [
                {**entry, "platform": entry["platform"] or names.get(entry["digest"], "")}
                for entry in each.platforms
            ]
            each = replace(each, platforms=listed)  # noqa: PLW2901
        yield each


@transaction.atomic
@fenced
def renew_manifest(image: Image, values: ManifestValues) -> None:
    """One that was not complete is read again; `image` holds it."""
    (values,) = _with_platforms([values])
    changing = "kind artifact_type subject size created_at platforms details".split()
    fresh = {name: getattr(values, name) for name in changing}
    resized = Tag.objects.filter(manifest=values.digest).exclude(size=values.size)
    holding = Image.objects.filter(tags__in=resized).distinct()
    # First, as in write_moves: who writes tags meanwhile counts them too, and takes his turn.
    list(Repository.objects.select_for_update().filter(image__in=holding).order_by("name"))
    images = list(holding)
    Manifest.objects.filter(digest=values.digest).update(due_at=None, **fresh)
    note_held(image, {values.digest})
    resized.update(size=values.size)
    for each in images:
        count(each)


@transaction.atomic(savepoint=False)
@fenced
def write_moves(image: Image, moves: Sequence[Move], *, how: TagMove.How) -> int:
    """Makes tags come, point elsewhere or go, remembers each move, and counts anew. Returns the moves made.

    The manifests are stored already. A move to where the tag points already is none.
    """
    made: list[TagMove] = []
    # First, so that two writers of one repository take their turn, and whoever read before reads again.
    Repository.objects.filter(image=image).update(version=F("version") + 1)
    for some in batches(moves):
        made += _write_batch(image, {move.tag: move for move in some}, how)
    if made:
        TagMove.objects.bulk_create(made, BATCH)
        note_held(image, {move.new for move in made} - {""})
        count(image, last_move=max(move.pk for move in made))
    return len(made)


def count(image: Image, *, last_move: int = 0) -> None:
    """What lists and open pages want to know of an image's tags without asking them."""
    tags = Tag.objects.filter(image=image, technical=False)
    newest = tags.order_by("-pushed_at", "-id").first()
    image.tag_count = tags.count()
    image.latest_tag = newest.name if newest else ""
    image.size = newest.size if newest else 0
    image.pushed_at = newest.pushed_at if newest else image.pushed_at
    image.untagged = 0
    fields = ["tag_count", "latest_tag", "size", "pushed_at", "untagged"]
    if last_move:
        image.last_move = last_move
        fields.append("last_move")
    image.save(update_fields=fields)


@transaction.atomic(savepoint=False)
@fenced
def note_held(image: Image, digests: set[str]) -> None:
    """The registry holds these in the image's repository, and what they list."""
    listed = Part.objects.filter(manifest_id__in=digests, kind=Part.Kind.MANIFEST)
    stored = Manifest.objects.filter(digest__in=listed.values("digest")).values_list("digest", flat=True)
    Revision.objects.bulk_create(
        [Revision(image=image, manifest_id=digest) for digest in digests],
        BATCH,
        update_conflicts=True,
        unique_fields=["image", "manifest"],
        update_fields=["gone_at"],
    )
    # Of what is only listed nobody said that it is back, should it have gone.
    listed_only = [Revision(image=image, manifest_id=digest) for digest in set(stored) - digests]
    Revision.objects.bulk_create(listed_only, BATCH, ignore_conflicts=True)


def count_untagged(image: Image) -> None:
    """Of an image that never had a tag what was pushed by digest alone."""
    never = Image.objects.filter(pk=image.pk, last_move=0, tag_count=0)
    held = Revision.objects.filter(image=image, gone_at=None)
    never.update(untagged=held.count(), pushed_at=Coalesce("pushed_at", Value(timezone.now())))


def batches(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    return (things[start : start + BATCH] for start in range(0, len(things), BATCH))


def _tell_pulls(image: Image, tags: Sequence[Tag]) -> None:
    """A tag that comes back was pulled before it went."""
    rows = Pull.objects.filter(image=image, tag__in=[tag.name for tag in tags]).values("tag")
    pulled = {row["tag"]: row for row in rows.annotate(times=Sum("count"), at=Max("last_at"))}
    for tag in tags:
        if tag.name in pulled:
            tag.pull_count, tag.pulled_at = pulled[tag.name]["times"], pulled[tag.name]["at"]


def _write_batch(image: Image, moves: dict[str, Move], how: TagMove.How) -> list[TagMove]:
    rows = {tag.name: tag for tag in Tag.objects.filter(image=image, name__in=list(moves))}
    sizes = stored_sizes({move.digest for move in moves.values()} - {""})
    new: list[Tag] = []
    moved: list[Tag] = []
    gone, made = [], []
    for name, move in moves.items():
        tag = rows.get(name)
        old = tag.manifest_id if tag else ""
        if old == move.digest:
            continue
        made.append(TagMove(image=image, tag=name, old=old, new=move.digest, at=move.at, by=move.by, how=how))
        if not move.digest:
            gone.append(name)
            continue
        tag = tag or Tag(image=image, name=name, first_seen_at=move.at)
        (moved if tag.pk else new).append(tag)
        tag.manifest_id, tag.size = move.digest, sizes[move.digest]
        # `by` of the panel is a person; a tag tells users.
        tag.pushed_at, tag.missing_since, tag.unread_since = move.at, None, None
        tag.pushed_by = "" if how == TagMove.How.PANEL else move.by
    _tell_pulls(image, new)
    Tag.objects.bulk_create(new)
    if moved:
        fields = ["manifest", "size", "pushed_at", "pushed_by", "missing_since", "unread_since"]
        Tag.objects.bulk_update(moved, fields)
    if gone:
        Tag.objects.filter(image=image, name__in=gone).delete()
    return made


def _row(values: ManifestValues) -> Manifest:
    return Manifest(
        digest=values.digest,
        media_type=values.media_type,
        artifact_type=values.artifact_type,
        kind=values.kind,
        size=values.size,
        created_at=values.created_at,
        platforms=values.platforms,
        details=values.details,
        subject=values.subject,
        packed=zlib.compress(values.body) if values.body else b"",
        due_at=None if values.complete else timezone.now() + ANEW,
    )
