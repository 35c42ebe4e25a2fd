"""What an event said of a tag, in the history at the event's own time and with who did it, however late it came."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.inventory.index_totals import count_tags
from registry_sync.inventory.writer import TagChange, write_tag_changes
from registry_sync.leases import fenced
from registry_sync.models import Repository

CLOCK_SKEW = timedelta(minutes=1)  # between the registry's clock and ours


@transaction.atomic
@fenced
def record_change(image: Image, change: TagChange, *, stored: bool = True) -> bool:
    """Write a move into the history, and move the tag too when nothing newer is known of it.

    Return True when only the history was written, and whether the registry still holds the manifest is not known.

    What was found before the event came, without a name, is the same move: it gets its name and its time.
    `stored`: the manifest is stored. A deletion moves no tag: that takes the registry's answer.
    """
    # First, as in write_tag_changes: two writers of one repository take their turn.
    Repository.objects.filter(image=image).update(version=F("version") + 1)
    moves = TagHistoryEntry.objects.filter(image=image, tag=change.tag)
    tag = Tag.objects.filter(image=image, name=change.tag).first()
    before = moves.filter(at__lte=change.at).order_by("-at", "-id").first()
    after = moves.filter(at__gt=change.at).order_by("at", "id").first()
    digest_before = before.new if before else ""
    if moves.filter(new=change.digest, at=change.at).exists():
        return _record_was_present(image, change.digest, stored)
    if after and after.new == change.digest:
        _attribute(after, change, tag, at=change.at, old=digest_before)
        return False
    if before and digest_before == change.digest:
        if before.at > change.at - CLOCK_SKEW and not after:
            _attribute(before, change, tag, at=before.at, old=before.old)
        return False
    if not before and not change.digest:
        return False
    newest = not after and not (tag and change.at < tag.pushed_at)
    if newest and stored and change.digest and not (tag and tag.manifest_id == change.digest):
        write_tag_changes(image, [change], how=TagHistoryEntry.How.EVENT)
        moves.filter(new=change.digest, at=change.at).update(old=digest_before)
        return False
    TagHistoryEntry.objects.create(
        image=image,
        tag=change.tag,
        old=digest_before,
        new=change.digest,
        at=change.at,
        by=change.by,
        how=TagHistoryEntry.How.EVENT,
    )
    if after:
        TagHistoryEntry.objects.filter(pk=after.pk).update(old=change.digest)
    elif newest and tag and tag.manifest_id == change.digest:  # it went, and came again
        _set_pushed(tag, change.at, change.by)
    return _record_was_present(image, change.digest, stored)


def _record_was_present(image: Image, digest: str, stored: bool) -> bool:
    """Note that it was held then; whether it still is, the caller asks."""
    if stored and digest:
        RepositoryManifest.objects.bulk_create(
            [RepositoryManifest(image=image, manifest_id=digest)], ignore_conflicts=True
        )
    return bool(stored and digest)


def _set_pushed(tag: Tag, at: datetime, by: str) -> None:
    """Another may be the image's newest then."""
    Tag.objects.filter(pk=tag.pk).update(pushed_at=at, pushed_by=by)
    count_tags([tag.image])


def _attribute(entry: TagHistoryEntry, change: TagChange, tag: Tag | None, *, at: datetime, old: str) -> None:
    """Add who and when, where a reconcile or a confirmation was quicker than the event, and knew neither."""
    if entry.by or not change.by:
        return
    newer = TagHistoryEntry.objects.filter(image=entry.image_id, tag=entry.tag, at__gt=entry.at)
    if tag and tag.manifest_id == entry.new and not newer.exists():
        _set_pushed(tag, min(at, tag.pushed_at), change.by)
    TagHistoryEntry.objects.filter(pk=entry.pk).update(
        at=at, by=change.by, old=old, how=TagHistoryEntry.How.EVENT
    )
