"""A direct look at all tags of a repository, before a manifest is deleted: the picture may be a moment behind."""

import time
from collections.abc import Callable, Mapping, Sequence

from namespaces.models import Image, Tag
from registry_sync.client import Missing, Registry, RegistryError, Sweep
from registry_sync.picture import look, stand_ins
from registry_sync.picture.write import stored_sizes
from registry_sync.removal import facts
from registry_sync.removal.impact import Facts, objections
from registry_sync.removal.outcomes import Outcome, Stopped

FRESH = 5.0  # seconds for which a look is good for the next manifest too


class Looks:
    """Of one image, for one worker."""

    def __init__(self, image: Image, registry: Registry, alive: Callable[[], None]) -> None:
        self.image = image
        self.registry = registry
        self.alive = alive
        self._tags: dict[str, str] = {}
        self._at = float("-inf")

    def objections(self, digest: str, told: Mapping[str, Sequence[str]]) -> list[str]:
        """What needs `digest`, in the registry or in the picture, and was not told. Raises Stopped, RegistryError."""
        if time.monotonic() - self._at > FRESH:
            self._look()
        seen = {tag for tag, points in self._tags.items() if points == digest}
        # An index may have been pushed under a tag that the picture does not know yet.
        known = facts.around(self.image, [digest], also_held=set(self._tags.values()))
        known = Facts(known.held, {**known.tags, **self._tags})
        indexes = {
            index: bool(_tags_above(known, index)) for index in known.indexes_of(digest) if index != digest
        }
        return objections(digest, told, tags=seen, indexes=indexes, referrers=known.referrers_of(digest))

    def _leads_nowhere(self, tag: str) -> bool:
        """True for one that is listed, and whose manifest the registry lost: it holds nothing."""
        try:
            self.registry.manifest(self.image.repository, tag)
        except Missing:
            return True
        except RegistryError:
            return False
        return False

    def forget(self, digest: str) -> None:
        """It is deleted, and every tag that pointed at it."""
        self._tags = {tag: points for tag, points in self._tags.items() if points != digest}

    def _look(self) -> None:
        self.alive()
        known = dict(Tag.objects.filter(image=self.image).values_list("name", "manifest_id"))
        with Sweep(self.registry.url, self.registry.token_for) as sweep:
            (read,) = sweep.read_tags({self.image.repository: known}, alive=self.alive)
        if read.problem and not read.missing:
            raise Stopped(Outcome.UNCERTAIN, read.problem)
        dark = [tag for tag in read.unreadable if not self._leads_nowhere(tag)]
        if dark:
            raise Stopped(Outcome.UNCERTAIN, ", ".join(dark[:5]))
        digests = set(read.digests.values()) - stand_ins.among(set(read.digests.values()))
        for digest in digests - set(stored_sizes(digests)):
            look.store(self.image.repository, digest, self.registry)
        self._tags, self._at = read.digests, time.monotonic()


def _tags_above(known: Facts, index: str) -> set[str]:
    seen: set[str] = set()
    left, found = [index], set()
    while left:
        digest = left.pop()
        if digest not in seen:
            seen.add(digest)
            found |= set(known.tags_of(digest))
            left += known.indexes_of(digest)
    return found
