"""What events said of tags, in the history at each event's own time and with who did it, however late it came."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, Subquery

from namespaces.models import Image, Tag, TagHistoryEntry
from registry_sync.inventory.tag_timeline import Move, TagChange, TagState
from registry_sync.inventory.writer import StoredTimeline, TagKey, any_of, write_timelines
from registry_sync.leases import fenced
from registry_sync.models import Repository


class TooManyMoves(Exception):
    """Too much is known since the first of several changes; record them one by one."""


def record_change(image: Image, change: TagChange, *, stored: bool = True) -> bool:
    """Return as `Timeline.record` does."""
    return record_changes([(image, change)], stored=stored)[0]


@transaction.atomic
@fenced
def record_changes(changes: Sequence[tuple[Image, TagChange]], *, stored: bool = True) -> list[bool]:
    """Record each in the timeline of its tag (`Timeline.record`), in this order. Return what that returned.

    Of several images in about twenty statements, however many changes there are. Those of an image that somebody else
    is writing now are left out: True. Raise TooManyMoves.
    """
    # First, as in write_tag_changes: two writers of one repository take their turn.
    locked = _lock({image for image, _change in changes})
    writable = [(image, change) for image, change in changes if image in locked]
    if not writable:
        return [True] * len(changes)
    found = _load_timelines(writable)
    unknown = [image not in locked or _record(found, image, change, stored) for image, change in changes]
    write_timelines(found)
    return unknown


def _record(found: dict[TagKey, StoredTimeline], image: Image, change: TagChange, stored: bool) -> bool:
    timeline = found[image, change.tag].timeline
    was_there = timeline.tag is not None
    unknown = timeline.record(change, stored=stored)
    if timeline.tag and not was_there:
        # Rows are written in this order: of two that came at the same moment, the later row is the newer tag.
        found[image, change.tag] = found.pop((image, change.tag))
    return unknown


def lock_free(images: Collection[Image]) -> set[Image]:
    """Lock their repositories until the commit, and return those that nobody else is writing: none is waited for."""
    rows = Repository.objects.select_for_update(of=("self",), skip_locked=True).filter(image__in=images)
    free = set(rows.values_list("image_id", flat=True))
    return {image for image in images if image.pk in free}


def _lock(images: Collection[Image]) -> Collection[Image]:
    """Return those that are ours until the commit. One alone is waited for: who holds a lock waits for no other."""
    locked = lock_free(images) if len(images) > 1 else images
    Repository.objects.filter(image__in=locked).update(version=F("version") + 1)
    return locked


def _load_timelines(changes: Sequence[tuple[Image, TagChange]]) -> dict[TagKey, StoredTimeline]:
    """Of each tag all that is known since the first of `changes`, and the last before that."""
    since = min(change.at for _image, change in changes)
    found = {(image, change.tag): StoredTimeline() for image, change in changes}
    by_id = {(image.pk, tag): stored for (image, tag), stored in found.items()}
    earlier = TagHistoryEntry.objects.filter(image=OuterRef("image"), tag=OuterRef("name"), at__lt=since)
    last = Subquery(earlier.order_by("-at", "-id").values("pk")[:1])
    last_ids = list[int]()
    for row in Tag.objects.filter(any_of(found, "name")).annotate(last=last):
        stored = by_id[row.image_id, row.name]
        stored.row = row
        stored.timeline.tag = TagState(row.manifest_id, row.pushed_at, row.pushed_by)
        last_ids += [row.last] if row.last else []
    absent = [key for key, stored in found.items() if not stored.row]
    moves = [*TagHistoryEntry.objects.filter(pk__in=last_ids), *_last_of_absent(absent, since)]
    window = TagHistoryEntry.objects.filter(any_of(found, "tag"), at__gte=since).order_by("at", "id")
    moves += window[: settings.LATE_MOVES_MAX + 1]
    if len(changes) > 1 and len(moves) > settings.LATE_MOVES_MAX:
        raise TooManyMoves
    for move in moves:
        by_id[move.image_id, move.tag].timeline.moves.append(
            Move(move.at, move.old, move.new, move.by, move.how, move.pk)
        )
    return found


def _last_of_absent(absent: Sequence[TagKey], since: datetime) -> list[TagHistoryEntry]:
    """Find the same of tags that are not there: most were never there before."""
    if not absent:
        return []
    earlier = TagHistoryEntry.objects.filter(any_of(absent, "tag"), at__lt=since).order_by()
    last = earlier.values_list("image_id", "tag").annotate(Max("at"))
    moments = [Q(image=image, tag=tag, at=at) for image, tag, at in last]
    if not moments:
        return []
    rows = TagHistoryEntry.objects.filter(reduce(or_, moments)).order_by("id")
    return list({(row.image_id, row.tag): row for row in rows}.values())
