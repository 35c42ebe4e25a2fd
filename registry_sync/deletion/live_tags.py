"""Reads all tags of a repository right before a manifest is deleted: the inventory may be a moment behind."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.conf import settings

from accounts.common.batches import batches
from accounts.common.lazy_text import verbatim
from namespaces.models import Descriptor, Image, Tag
from registry_sync.client import NotInRegistry, RegistryClient, RegistryError, Schema1Unsupported, ServerError
from registry_sync.deletion import graph, unreadable
from registry_sync.deletion.impact import DeletionGraph, objections, tags_that_lead_to
from registry_sync.deletion.outcomes import Outcome, Stopped
from registry_sync.inventory import placeholders, refresh
from registry_sync.inventory.writer import stored_sizes

FRESH_SECONDS = 5.0  # a reading is good for further manifests so long, from its beginning


class LiveTags:
    """The tags of one image, for one worker."""

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
        self._present: set[str] = set()  # what the tags point at, and what indexes among it list
        self._unreadable: dict[str, str] = {}  # digest → what to call it for people
        self._read_at = float("-inf")

    def objections(self, digest: str, confirmed: Mapping[str, Sequence[str]]) -> list[str]:
        """Return what needs `digest`, in the registry or the inventory, and is not among `confirmed`.

        Raise Stopped, RegistryError.
        """
        if self._clock() - self._read_at > FRESH_SECONDS:
            self._read()
        self._check_all_readable(digest)
        tags = {tag for tag, points in self._tags.items() if points == digest}
        # An event may have told of a tag that was pushed since the reading.
        tags |= set(Tag.objects.filter(image=self.image, manifest=digest).values_list("name", flat=True))
        # An index may have been pushed under a tag that the inventory does not know yet.
        around = graph.load_graph(self.image, [digest], also_present=self._present, alive=self.alive)
        around = DeletionGraph(around.nodes, {**around.tags, **self._tags})
        indexes = {
            index: bool(tags_that_lead_to(around, index))
            for index in around.indexes_of(digest)
            if index != digest
        }
        return objections(
            digest, confirmed, tags=tags, indexes=indexes, referrers=around.referrers_of(digest)
        )

    def _check_all_readable(self, digest: str) -> None:
        """Raise Stopped when another manifest cannot be read: it may be an index that lists this one."""
        if digest in self._unreadable:
            return
        for each, text in list(self._unreadable.items()):
            self.alive()
            if each in self._tags.values() or not refresh.refresh_digest(self.image, each, self.registry):
                raise Stopped(Outcome.UNREADABLE, text)
            del self._unreadable[each]

    def _needs_nothing(self, tag: str) -> bool:
        """Return True for a listed tag whose manifest the registry lost, or which is Docker schema 1.

        Neither needs another manifest.
        """
        try:
            self.registry.manifest(self.image.repository, tag)
        except (NotInRegistry, Schema1Unsupported):
            return True
        except RegistryError:
            return False
        return False

    def forget(self, digest: str) -> None:
        """Forget a deleted manifest and its tags."""
        self._tags = {tag: points for tag, points in self._tags.items() if points != digest}
        self._present.discard(digest)
        self._unreadable.pop(digest, None)

    def _read(self) -> None:
        started = self._clock()
        tags, unreadable_tags = self._crawl()
        present = self._with_children(tags.values())
        if self._clock() - started > settings.DELETION_SLOW_READ:
            new = self._new_tags({*tags, *unreadable_tags})
            tags |= new
            present |= self._with_children(new.values())
        self._unreadable = {
            each.digest: each.text for each in unreadable.find(self.image, also_present=present)
        }
        self._tags, self._present, self._read_at = tags, present, started

    def _crawl(self) -> tuple[dict[str, str], list[str]]:
        """Return tag → digest, and the tags that cannot be read but need nothing."""
        self.alive()
        known = dict(Tag.objects.filter(image=self.image).values_list("name", "manifest_id"))
        with self.registry.crawler(paced=False) as crawler:
            (read,) = crawler.read_tags({self.image.repository: known}, alive=self.alive)
        if read.problem and not read.missing:
            raise Stopped(Outcome.UNCERTAIN, read.problem)
        unknown = [tag for tag in read.unreadable if not self._needs_nothing(tag)]
        if unknown:
            raise Stopped(Outcome.UNCERTAIN, verbatim(", ".join(unknown[:5])))
        return read.digests, list(read.unreadable)

    def _new_tags(self, known: Collection[str]) -> dict[str, str]:
        """Return tag → digest of the tags that are not `known`."""
        found: dict[str, str] = {}
        try:
            listed = self.registry.tags(self.image.repository)
        except NotInRegistry:
            return found
        for tag in set(listed) - set(known):
            self.alive()
            try:
                fetched = self.registry.manifest(self.image.repository, tag)
            except NotInRegistry:
                continue
            assert fetched
            found[tag] = fetched.digest
        return found

    def _with_children(self, digests: Iterable[str]) -> set[str]:
        """Return `digests` and all that indexes among them list, however deep. Stores the content of each."""
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
                    # else it is no manifest, though an index says so: it lists nothing
            listed = set[str]()
            for some in batches(sorted(new)):
                parts = Descriptor.objects.filter(manifest__in=some, kind=Descriptor.Kind.MANIFEST)
                listed |= set(parts.values_list("digest", flat=True))
            new = listed - found
        return found
