"""The smallest grants that would have served what a user really did. PURE.

Images rather than namespaces, and no higher level than was used. Never more than the user has now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from namespaces.access import REQUIRED_LEVEL, Level
from namespaces.ledger.replay import PastUse

# Of a namespace where more images were used, the whole namespace is proposed: tomorrow there is one more.
IMAGES_MOST = 20


class Place(NamedTuple):
    """A namespace, by its id, and one image of it, "" for all."""

    namespace: int
    image_name: str


@dataclass(frozen=True, slots=True)
class Given:
    """What a grant gives; it ends at `expires_at`, or never for None."""

    level: Level
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a user's grants: `before` is None of one that is new, `after` of one that goes."""

    place: Place
    before: Given | None
    after: Given | None


def needed(uses: Iterable[PastUse]) -> dict[Place, Level]:
    """Return image → the level that its confirmed uses took.

    Registries do not report who deletes, so a token for it counts as its use: clients ask for one only to delete.
    """
    found: dict[Place, Level] = defaultdict(lambda: Level.NONE)
    for use in uses:
        level = REQUIRED_LEVEL[use.action]
        if use.confirmed_count or level is Level.ADMIN:
            place = Place(use.namespace, use.image_name)
            found[place] = max(found[place], level)
    return dict(found)


def smallest(
    needs: Mapping[Place, Level], grants: Mapping[Place, Given], *, images_most: int = IMAGES_MOST
) -> dict[Place, Given]:
    """Return the grants to have instead of `grants`, one user's live ones. `needs` as `needed` gives them."""
    found: dict[Place, Given] = {}
    by_namespace: dict[int, dict[Place, Given]] = defaultdict(dict)
    for place, level in needs.items():
        if served := _serving(place, level, grants):
            by_namespace[place.namespace][place] = served
    for namespace, images in by_namespace.items():
        wide = grants.get(Place(namespace, ""))
        if wide and len(images) > images_most:
            found |= _of_whole(namespace, wide, images)
        else:
            found |= images
    return found


def steps(before: Mapping[Place, Given], after: Mapping[Place, Given]) -> list[Step]:
    """Return what to change, in order of places."""
    return [
        Step(place, before.get(place), after.get(place))
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]


def _serving(place: Place, level: Level, grants: Mapping[Place, Given]) -> Given | None:
    """Return the least that serves the image as far as it is served now, None where it is not served at all."""
    sources = [grants[each] for each in (place, Place(place.namespace, "")) if each in grants]
    level = min(level, max((source.level for source in sources), default=Level.NONE))
    if not level:
        return None
    ends = [source.expires_at for source in sources if source.level >= level]
    return Given(level, None if None in ends else max(end for end in ends if end))


def _of_whole(namespace: int, wide: Given, images: Mapping[Place, Given]) -> dict[Place, Given]:
    """Return the namespace's grant at the highest level that it served, and what images had beyond it."""
    beyond = {
        place: each
        for place, each in images.items()
        if each.level > wide.level or (wide.expires_at and each.expires_at != wide.expires_at)
    }
    levels = [each.level for place, each in images.items() if place not in beyond]
    return {Place(namespace, ""): Given(max(levels), wide.expires_at), **beyond} if levels else beyond
