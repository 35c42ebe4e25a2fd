"""The history of an image's tags, and what of it can be restored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import RegistryUser
from namespaces.models import Descriptor, Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.models import Removal


@dataclass(frozen=True)
class HistoryRow:
    """An entry as the page shows it. `description`: of the registry user who made the change, else "".

    `current_digest`: what the tag points at now, "" for no such tag. `restorable_digest`: what it can be pointed
    at again, "" when it points there, or the registry no longer holds that.
    """

    entry: TagHistoryEntry
    description: str
    current_digest: str
    restorable_digest: str
    untagged: bool  # no tag leads to `restorable_digest`
    comparable: bool  # both manifests, before and after, are in the inventory


def entries_of(image: Image, *, tag: str = "") -> QuerySet[TagHistoryEntry]:
    """Return the history of the image's tags, or of one tag, the latest change first."""
    found = TagHistoryEntry.objects.filter(image=image)
    return (found.filter(tag=tag) if tag else found).order_by("-at", "-id")


def rows_of(image: Image, history: Iterable[TagHistoryEntry]) -> list[HistoryRow]:
    entries = list(history)
    users = RegistryUser.objects.filter(
        account=image.namespace.account, username__in={entry.by for entry in entries} - {""}
    )
    descriptions = dict(users.values_list("username", "description"))
    tags = Tag.objects.filter(image=image, name__in={entry.tag for entry in entries})
    digests = dict(tags.values_list("name", "manifest_id"))
    olds = {entry.old for entry in entries} - {""}
    seen = RepositoryManifest.objects.filter(
        image=image, manifest__in=olds | {entry.new for entry in entries}
    )
    gone_at = dict(seen.values_list("manifest_id", "gone_at"))
    present = {digest for digest in olds if gone_at.get(digest, True) is None}
    tagged = set(Tag.objects.filter(image=image, manifest__in=olds).values_list("manifest_id", flat=True))
    tags_of_index = Tag.objects.filter(image=image, manifest=OuterRef("manifest"))
    listed = Descriptor.objects.filter(Exists(tags_of_index), digest__in=olds, kind=Descriptor.Kind.MANIFEST)
    needed = tagged | set(listed.values_list("digest", flat=True))
    found = []
    for entry in entries:
        current = digests.get(entry.tag, "")
        restorable = entry.old if entry.old in present and entry.old != current else ""
        untagged = bool(restorable) and restorable not in needed
        comparable = {entry.old, entry.new} <= gone_at.keys()
        found.append(
            HistoryRow(entry, descriptions.get(entry.by, ""), current, restorable, untagged, comparable)
        )
    return found


def recent_removals(image: Image) -> list[Removal]:
    """Return removals that wait, or failed within a day, and deletions of a day that are not restored."""
    day_ago = timezone.now() - timedelta(days=1)
    restored = Exists(Removal.objects.filter(undoes=OuterRef("pk"), state=Removal.State.DONE))
    deleted = Q(kind=Removal.Kind.DELETE) & ~restored
    shown = Q(state__in=[Removal.State.FAILED, Removal.State.PARTIAL]) | deleted
    rows = Removal.objects.filter(
        Q(shown, finished_at__gte=day_ago) | Q(state=Removal.State.WAITING), image=image
    )
    return list(rows.order_by("-id")[:5])


def present_digests(image: Image, digests: set[str]) -> set[str]:
    """Return those of `digests` that the image's repository still holds, by the inventory."""
    rows = RepositoryManifest.objects.filter(image=image, manifest__in=digests, gone_at=None)
    return set(rows.values_list("manifest_id", flat=True))
