"""Where an image's tags pointed, when, and by whom; and what of it can be put back."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import RegistryUser
from namespaces.models import Image, Revision, Tag, TagMove


@dataclass(frozen=True)
class Line:
    """A move; `description` of the user who made it, "" for a person or nobody.

    `now`: what the tag points at today, "" for no such tag. `back`: the digest that can be put under the tag again,
    "" when the tag points at it, or the registry holds it no more.
    """

    move: TagMove
    description: str
    now: str
    back: str


def moves_of(image: Image, *, tag: str = "") -> QuerySet[TagMove]:
    """The last one first."""
    found = TagMove.objects.filter(image=image)
    return (found.filter(tag=tag) if tag else found).order_by("-id")


def lines(image: Image, moves: Iterable[TagMove]) -> list[Line]:
    rows = list(moves)
    users = RegistryUser.objects.filter(
        account=image.namespace.account, username__in={move.by for move in rows} - {""}
    )
    described = dict(users.values_list("username", "description"))
    tags = Tag.objects.filter(image=image, name__in={move.tag for move in rows})
    points = dict(tags.values_list("name", "manifest_id"))
    held = held_of(image, {move.old for move in rows} - {""})
    return [
        Line(move, described.get(move.by, ""), now, move.old if move.old in held and move.old != now else "")
        for move in rows
        for now in [points.get(move.tag, "")]
    ]


def held_of(image: Image, digests: set[str]) -> set[str]:
    """Those of `digests` that the registry still holds in the image's repository, as far as is known."""
    rows = Revision.objects.filter(image=image, manifest__in=digests, gone_at=None)
    return set(rows.values_list("manifest_id", flat=True))
