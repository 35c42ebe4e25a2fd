"""Reads some repositories from the registry, compares each with the picture, and mends it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from django.utils import timezone

from registry_sync.client import Fetched, Registry, RegistryError, Sweep, TagsRead
from registry_sync.models import Repository, SyncRun
from registry_sync.picture import stand_ins
from registry_sync.picture.content import ContentReader
from registry_sync.picture.write import batches, store_manifests, stored_sizes
from registry_sync.sync import apply, drift

ROUNDS = 3  # a repository that is written while it is read is read again, so often
PACE = 5.0  # seconds
Alive = Callable[[], None]


@dataclass(slots=True)
class Counts:
    repositories: int = 0
    requests: int = 0
    changes: int = 0
    unread: int = 0


class RepositoriesReader:
    """A context manager over one registry, for as many reads as are wanted."""

    def __init__(self, registry: Registry, sweep: Sweep) -> None:
        self.registry = registry
        self.sweep = sweep
        self.content = ContentReader(registry)

    def __enter__(self) -> Self:
        self.sweep.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.content.close()
        self.sweep.__exit__(*error)

    def read(self, run: SyncRun, ids: Iterable[int], *, alive: Alive) -> Counts:
        """`alive` keeps the caller's lease; what it raises ends the reading, and nothing more is written."""
        before = self.registry.requests + self.sweep.requests
        alive = _paced(alive)
        names = list(Repository.objects.filter(id__in=list(ids)).values_list("name", flat=True))
        counts, left = Counts(repositories=len(names)), names
        for _round in range(ROUNDS):
            left = self._read_round(run, left, counts, alive)
            if not left:
                break
        counts.unread += len(left)
        counts.requests = self.registry.requests + self.sweep.requests - before
        return counts

    def _read_round(self, run: SyncRun, names: list[str], counts: Counts, alive: Alive) -> list[str]:
        """Returns the names to be read again."""
        known, raced = apply.known_tags(names), []
        digests = {name: {tag: row.digest for tag, row in each.tags.items()} for name, each in known.items()}
        reads = self.sweep.read_tags(digests, alive=alive)
        self._store_new_manifests(reads, alive)
        for read in reads:
            alive()
            try:
                changes = apply.write_tags(read, known[read.repository], timezone.now())
            except apply.Raced:
                raced.append(read.repository)
                continue
            drift.record(run, read, known[read.repository], changes)
            counts.changes += len(changes)
            counts.unread += bool(read.problem)
        return raced

    def _store_new_manifests(self, reads: list[TagsRead], alive: Alive) -> None:
        """What cannot be fetched leaves its tags unreadable: they stay as they are."""
        wanted = {digest: read.repository for read in reads for digest in read.digests.values()}
        stored = set(stored_sizes(wanted))
        for digest in stand_ins.among(wanted.keys() - stored):
            del wanted[digest]  # not stored, so its tag stays as it was until its removal is done
        fetched = {digest: (read.repository, got) for read in reads for digest, got in read.fetched.items()}
        for some in batches([digest for digest in wanted if digest not in stored]):
            alive()
            stored |= self._store({digest: wanted[digest] for digest in some}, fetched)
        for read in reads:
            lost = [tag for tag, digest in read.digests.items() if digest not in stored]
            read.unreadable += lost
            for tag in lost:
                del read.digests[tag]

    def _store(self, wanted: dict[str, str], fetched: dict[str, tuple[str, Fetched]]) -> set[str]:
        have = {digest: fetched[digest] for digest in wanted if digest in fetched}
        have |= self.content.fetch({digest: name for digest, name in wanted.items() if digest not in have})
        try:
            store_manifests(self.content.read_manifests(have, stored_sizes))
        except RegistryError:
            # One of them; the others must not wait for it.
            return self._store_each(have) if len(have) > 1 else set()
        return set(have)

    def _store_each(self, have: dict[str, tuple[str, Fetched]]) -> set[str]:
        return {digest for digest, got in have.items() if self._store_one(digest, got)}

    def _store_one(self, digest: str, got: tuple[str, Fetched]) -> bool:
        try:
            store_manifests(self.content.read_manifests({digest: got}, stored_sizes))
        except RegistryError:
            return False
        return True


def _paced(alive: Alive) -> Alive:
    """At once, and then every few seconds: it is called for each repository."""
    next_time = 0.0

    def call() -> None:
        nonlocal next_time
        if time.monotonic() >= next_time:
            alive()
            next_time = time.monotonic() + PACE

    return call
