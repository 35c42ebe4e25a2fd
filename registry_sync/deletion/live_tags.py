"""A direct look at all tags of a repository, before a manifest is deleted: the picture may be a moment behind."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.conf import settings

from namespaces.models import Descriptor, Image, Tag
from registry_sync.client import NotInRegistry, RegistryClient, RegistryError, Schema1Unsupported, ServerError
from registry_sync.deletion import graph, unreadable
from registry_sync.deletion.impact import DeletionGraph, objections, tags_that_lead_to
from registry_sync.deletion.outcomes import Outcome, Stopped
from registry_sync.inventory import placeholders, refresh
from registry_sync.inventory.writer import batches, stored_sizes

FRESH_SECONDS = 5.0  # seconds for which a look is good for the next manifest too, counted from where it began


class LiveTags:
    """Of one image, for one worker."""

    def __init__(
        self,
        image: Image,
        registry: RegistryClient,
        alive: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.image = image
        self.registry = registry
        self.alive = alive
        self._clock = clock
        self._tags: dict[str, str] = {}
        self._held: set[str] = set()  # what the tags point at, and all that indexes among it list
        self._unread: dict[str, str] = {}  # digest → its name for people
        self._at = float("-inf")

    def objections(self, digest: str, told: Mapping[str, Sequence[str]]) -> list[str]:
        """Return what needs `digest`, in the registry or in the picture, and was not told.

        Raise Stopped, RegistryError.
        """
        if self._clock() - self._at > FRESH_SECONDS:
            self._look()
        self._demand_all_is_read(digest)
        seen = {tag for tag, points in self._tags.items() if points == digest}
        # An event may know of a tag that came since the look.
        seen |= set(Tag.objects.filter(image=self.image, manifest=digest).values_list("name", flat=True))
        # An index may have been pushed under a tag that the picture does not know yet.
        known = graph.load_graph(self.image, [digest], also_held=self._held, alive=self.alive)
        known = DeletionGraph(known.held, {**known.tags, **self._tags})
        indexes = {
            index: bool(tags_that_lead_to(known, index))
            for index in known.indexes_of(digest)
            if index != digest
        }
        return objections(digest, told, tags=seen, indexes=indexes, referrers=known.referrers_of(digest))

    def _demand_all_is_read(self, digest: str) -> None:
        """Raise Stopped when something else is there that nobody can read: it may be an index of this."""
        if digest in self._unread:
            return
        for each, words in list(self._unread.items()):
            self.alive()
            if each in self._tags.values() or not refresh.refresh_digest(self.image, each, self.registry):
                raise Stopped(Outcome.UNREADABLE, words)
            del self._unread[each]

    def _leads_nowhere(self, tag: str) -> bool:
        """Return True for one that is listed, and whose manifest the registry lost: it holds nothing.

        Nor does one of Docker's first form list any manifest.
        """
        try:
            self.registry.manifest(self.image.repository, tag)
        except (NotInRegistry, Schema1Unsupported):
            return True
        except RegistryError:
            return False
        return False

    def forget(self, digest: str) -> None:
        """Forget it, which is deleted, and every tag that pointed at it."""
        self._tags = {tag: points for tag, points in self._tags.items() if points != digest}
        self._held.discard(digest)
        self._unread.pop(digest, None)

    def _look(self) -> None:
        begun = self._clock()
        tags, dark = self._swept()
        held = self._stored(tags.values())
        if self._clock() - begun > settings.DELETION_LONG_LOOK:
            new = self._come_since({*tags, *dark})
            tags |= new
            held |= self._stored(new.values())
        self._unread = {each.digest: each.words for each in unreadable.find(self.image, also_held=held)}
        self._tags, self._held, self._at = tags, held, begun

    def _swept(self) -> tuple[dict[str, str], list[str]]:
        """All tags, and those that lead nowhere."""
        self.alive()
        known = dict(Tag.objects.filter(image=self.image).values_list("name", "manifest_id"))
        with self.registry.crawler(paced=False) as sweep:
            (read,) = sweep.read_tags({self.image.repository: known}, alive=self.alive)
        if read.problem and not read.missing:
            raise Stopped(Outcome.UNCERTAIN, read.problem)
        dark = [tag for tag in read.unreadable if not self._leads_nowhere(tag)]
        if dark:
            raise Stopped(Outcome.UNCERTAIN, ", ".join(dark[:5]))
        return read.digests, list(read.unreadable)

    def _come_since(self, met: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            listed = self.registry.tags(self.image.repository)
        except NotInRegistry:
            return found
        for tag in set(listed) - set(met):
            self.alive()
            try:
                fetched = self.registry.manifest(self.image.repository, tag)
            except NotInRegistry:
                continue
            assert fetched
            found[tag] = fetched.digest
        return found

    def _stored(self, digests: Iterable[str]) -> set[str]:
        """`digests` and all that indexes among them list, however deep; the picture knows the content of each."""
        found, new = set[str](), set(digests)
        while new:
            found |= new
            for digest in sorted(new - set(stored_sizes(new)) - placeholders.among(new)):
                self.alive()
                try:
                    refresh.store_manifest(self.image.repository, digest, self.registry)
                except NotInRegistry:
                    continue  # an index may list what is not there
                except ServerError:
                    if not self.registry.has_blob(self.image.repository, digest):
                        raise
                    # or what is no manifest, though it says so: that lists nothing
            listed = set[str]()
            for some in batches(sorted(new)):
                parts = Descriptor.objects.filter(manifest__in=some, kind=Descriptor.Kind.MANIFEST)
                listed |= set(parts.values_list("digest", flat=True))
            new = listed - found
        return found
