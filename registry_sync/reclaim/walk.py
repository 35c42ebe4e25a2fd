"""Asks the registry for everything that the inventory needs: each manifest, layer and config of each image."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from django.db.models import QuerySet

from namespaces.models import Descriptor, FormerManifest, Image, Manifest
from registry_sync.client import RegistryClient, RegistryError

PARALLEL = 8
BATCH = 1000  # things that are in memory, and asked for together
POLL_SECONDS = 0.1
NAMED_MAX = 20
UNANSWERED_MAX = 100  # then the rest is not asked for
MANIFESTS, BLOBS = "manifests", "blobs"


@dataclass(slots=True)
class Walked:
    """`missing` counts what the registry says it has not, `named` are the first of them; `unanswered` got no answer."""

    asked: int = 0
    missing: int = 0
    named: list[str] = field(default_factory=list)
    unanswered: int = 0
    problem: str = ""  # of the last that got no answer

    @property
    def complete(self) -> bool:
        return not self.unanswered


class _Walk:
    def __init__(self, registry: RegistryClient, alive: Callable[[], None]) -> None:
        self.registry = registry
        self.alive = alive
        self.result = Walked()
        self._pool = ThreadPoolExecutor(PARALLEL)

    def run(self) -> Walked:
        with self._pool:
            for repository, manifests in _repositories():
                for kind, digests in ((MANIFESTS, _manifests(manifests)), (BLOBS, _blobs(manifests))):
                    for batch in digests:
                        self._ask_all(repository, kind, batch)
                        if self.result.unanswered >= UNANSWERED_MAX:
                            return self.result
        return self.result

    def _ask_all(self, repository: str, kind: str, digests: list[str]) -> None:
        asked = {self._pool.submit(self._ask, repository, kind, digest): digest for digest in digests}
        waiting = set(asked)
        while waiting:
            done, waiting = wait(waiting, timeout=POLL_SECONDS)
            self.registry.pace.update()  # here: the other threads have no connection to the database
            self.alive()
            for future in done:
                self._note(f"{repository}@{asked[future]}", future.result())

    def _note(self, name: str, found: bool | RegistryError) -> None:
        self.result.asked += 1
        if isinstance(found, RegistryError):
            self.result.unanswered += 1
            self.result.problem = found.text
        elif not found:
            self.result.missing += 1
            if len(self.result.named) < NAMED_MAX:
                self.result.named.append(name)

    def _ask(self, repository: str, kind: str, digest: str) -> bool | RegistryError:
        while kind == MANIFESTS and self.registry.pace.is_ahead():
            time.sleep(POLL_SECONDS)
        try:
            return self.registry.holds(repository, kind, digest)
        except RegistryError as error:
            return error


def walk(registry: RegistryClient, alive: Callable[[], None] = lambda: None) -> Walked:
    """`alive` is called in the caller's thread all the while; when it raises, the walk stops."""
    return _Walk(registry, alive).run()


def _repositories() -> Iterator[tuple[str, QuerySet[Manifest]]]:
    """Yield each with the manifests that it holds, images first, then what deleted namespaces left."""
    last = 0
    while images := list(
        Image.objects.filter(pk__gt=last).select_related("namespace").order_by("pk")[:BATCH]
    ):
        for image in images:
            held = Manifest.objects.filter(
                repository_manifests__image=image, repository_manifests__gone_at=None
            )
            yield image.repository, held
        last = images[-1].pk
    former = FormerManifest.objects.filter(gone_at=None)
    for repository in former.order_by().values_list("repository", flat=True).distinct():
        yield (
            repository,
            Manifest.objects.filter(pk__in=former.filter(repository=repository).values("manifest")),
        )


def _manifests(manifests: QuerySet[Manifest]) -> Iterator[list[str]]:
    return _in_batches(manifests.order_by("digest").values_list("digest", flat=True))


def _blobs(manifests: QuerySet[Manifest]) -> Iterator[list[str]]:
    named = Descriptor.objects.filter(manifest__in=manifests).exclude(kind=Descriptor.Kind.MANIFEST)
    return _in_batches(named.order_by("digest").values_list("digest", flat=True).distinct())


def _in_batches(digests: "QuerySet[Manifest, str] | QuerySet[Descriptor, str]") -> Iterator[list[str]]:
    """Each batch is a statement that begins after the last: no cursor is kept open meanwhile."""
    last = ""
    while batch := list(digests.filter(digest__gt=last)[:BATCH]):
        yield batch
        last = batch[-1]
