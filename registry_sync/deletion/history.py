"""Where an image's tags pointed, when, and by whom; and what of it can be put back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import RegistryUser
from namespaces.models import Descriptor, Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.models import Removal


@dataclass(frozen=True)
class HistoryLine:
    """A move; `description` of the user who made it, "" for a person or nobody.

    `now`: what the tag points at today, "" for no such tag. `back`: the digest that can be put under the tag again,
    "" when the tag points at it, or the registry holds it no more.
    """

    move: TagHistoryEntry
    description: str
    now: str
    back: str
    untagged: bool  # nothing but the history leads to `back`
    comparable: bool  # what it pointed at before and after is known


def moves_of(image: Image, *, tag: str = "") -> QuerySet[TagHistoryEntry]:
    """Return the moves of the image's tags, the last one first."""
    found = TagHistoryEntry.objects.filter(image=image)
    return (found.filter(tag=tag) if tag else found).order_by("-at", "-id")


def lines(image: Image, moves: Iterable[TagHistoryEntry]) -> list[HistoryLine]:
    rows = list(moves)
    users = RegistryUser.objects.filter(
        account=image.namespace.account, username__in={move.by for move in rows} - {""}
    )
    described = dict(users.values_list("username", "description"))
    tags = Tag.objects.filter(image=image, name__in={move.tag for move in rows})
    points = dict(tags.values_list("name", "manifest_id"))
    olds = {move.old for move in rows} - {""}
    seen = RepositoryManifest.objects.filter(image=image, manifest__in=olds | {move.new for move in rows})
    gone_at = dict(seen.values_list("manifest_id", "gone_at"))
    held = {digest for digest in olds if gone_at.get(digest, True) is None}
    tagged = set(Tag.objects.filter(image=image, manifest__in=olds).values_list("manifest_id", flat=True))
    listed = Descriptor.objects.filter(
        digest__in=olds, kind=Descriptor.Kind.MANIFEST, manifest__tags__image=image
    )
    needed = tagged | set(listed.values_list("digest", flat=True))
    found = []
    for move in rows:
        now = points.get(move.tag, "")
        back = move.old if move.old in held and move.old != now else ""
        untagged = bool(back) and back not in needed
        comparable = {move.old, move.new} <= gone_at.keys()
        found.append(HistoryLine(move, described.get(move.by, ""), now, back, untagged, comparable))
    return found


def under_way(image: Image) -> list[Removal]:
    """Return what waits, what could not be done lately, and what was deleted and may come back."""
    day_ago = timezone.now() - timedelta(days=1)
    came_back = Exists(Removal.objects.filter(undoes=OuterRef("pk"), state=Removal.State.DONE))
    deleted = Q(kind=Removal.Kind.DELETE) & ~came_back
    left = Q(state__in=[Removal.State.FAILED, Removal.State.PARTIAL]) | deleted
    rows = Removal.objects.filter(
        Q(left, finished_at__gte=day_ago) | Q(state=Removal.State.WAITING), image=image
    )
    return list(rows.order_by("-id")[:5])


def held_of(image: Image, digests: set[str]) -> set[str]:
    """Those of `digests` that the registry still holds in the image's repository, as far as is known."""
    rows = RepositoryManifest.objects.filter(image=image, manifest__in=digests, gone_at=None)
    return set(rows.values_list("manifest_id", flat=True))
