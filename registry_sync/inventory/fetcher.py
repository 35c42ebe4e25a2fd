"""Fetches manifests seen for the first time, with their platforms and configs. Knows the registry, not the database."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeVar

from django.conf import settings

from accounts.common.fair_share import in_turns
from namespaces.names import split
from registry_sync.client import FetchedManifest, RegistryClient, RegistryError, ServerError, TemporaryFailure
from registry_sync.inventory.parser import CONFIG_MAX, ParsedManifest, parse, with_config

PARALLEL = 8
# Requests in a row without an answer (twice PARALLEL): then the catalog is asked for, and without it reading stops.
NO_RESPONSE_MAX = 16
REPOSITORY_NO_RESPONSE_MAX = 4  # the same of one repository: then the rest of it is skipped
PROBE_VALID_SECONDS = 1.0  # seconds for which an answer proves that the registry answers
Answer = TypeVar("Answer")


class ManifestRef(NamedTuple):
    """A manifest in a repository: what is there in one may be missing in another."""

    repository: str
    digest: str


@dataclass(slots=True)
class ReadResult:
    """What was read.

    `seen` are there. `due` are to be read again, because something of them did not come. `unreached`: the registry gave
    no answer about them. `read`: those of `seen` that are not unreached, and list nothing that is, however deep.
    """

    manifests: dict[str, ParsedManifest] = field(default_factory=dict)
    seen: set[ManifestRef] = field(default_factory=set)
    due: set[ManifestRef] = field(default_factory=set)
    unreached: set[ManifestRef] = field(default_factory=set)
    read: set[ManifestRef] = field(default_factory=set)
    _indexes_of: dict[ManifestRef, set[ManifestRef]] = field(default_factory=dict)

    def add(self, ref: ManifestRef, manifest: ParsedManifest) -> None:
        self.seen.add(ref)
        if ref.digest not in self.manifests or manifest.complete:
            self.manifests[ref.digest] = manifest
        if not manifest.complete:
            self.due.add(ref)

    def add_children(
        self,
        index: ManifestRef,
        children: Iterable[ManifestRef],
        *,
        available: Collection[ManifestRef],
        unreached: Collection[ManifestRef],
    ) -> None:
        for child in children:
            self._indexes_of.setdefault(child, set()).add(index)
            if child not in available:
                self.due.add(index)
        self.unreached |= set(children) & set(unreached)

    def finish(self) -> None:
        """Find out what is `read`, from all the rest."""
        not_read, unvisited = set[ManifestRef](), list(self.unreached)
        while unvisited:
            ref = unvisited.pop()
            if ref not in not_read:
                not_read.add(ref)
                unvisited += self._indexes_of.get(ref, ())
        self.read = self.seen - not_read


class ManifestReader:
    """A context manager: a pool of threads over one registry client.

    `alive` is called in the caller's thread all the while; when it raises, the reading stops. `last_failure` is why
    the registry was last not reached, None when it was.
    """

    def __init__(self, registry: RegistryClient, *, alive: Callable[[], None] = lambda: None) -> None:
        self.registry = registry
        self.last_failure: TemporaryFailure | None = None
        self._failure_streak = 0
        self._failure_streak_of = Counter[str]()
        self._probe_lock = threading.Lock()
        self._probed_at, self._answers = float("-inf"), True
        self._alive = alive
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="registry")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def fetch_each(
        self, work: Callable[[ManifestRef], Answer], refs: Iterable[ManifestRef]
    ) -> dict[ManifestRef, Answer]:
        """Return ref → answer, without those for which the registry was not reached."""
        fair = in_turns(refs, lambda ref: split(ref.repository)[0])
        futures = {ref: self._pool.submit(self._one, work, ref) for ref in fair}
        pending = set(futures.values())
        try:
            while pending:
                _done, pending = wait(pending, timeout=self.registry.timing.poll)
                self.registry.pace.update()
                self._alive()
        finally:
            for future in pending:
                future.cancel()
        answers = {ref: future.result() for ref, future in futures.items()}
        return {ref: answer[0] for ref, answer in answers.items() if answer}

    def _one(self, work: Callable[[ManifestRef], Answer], ref: ManifestRef) -> tuple[Answer] | None:
        if self._failure_streak_of[ref.repository] >= REPOSITORY_NO_RESPONSE_MAX:
            return None
        if self._failure_streak >= NO_RESPONSE_MAX and not self._answers_others():
            return None
        while self.registry.pace.is_ahead():
            time.sleep(self.registry.timing.poll)
        try:
            answer = work(ref)
        except TemporaryFailure as error:
            self.last_failure = error
            self._failure_streak += 1
            self._failure_streak_of[ref.repository] += 1
            return None
        self.last_failure, self._failure_streak, self._failure_streak_of[ref.repository] = None, 0, 0
        return (answer,)

    def _is_transient(self, error: RegistryError) -> bool:
        """Whether it may be over soon, so that nothing is concluded from it."""
        if not isinstance(error, TemporaryFailure):
            return False
        return not isinstance(error, ServerError) or not self._answers_others()

    def _answers_others(self) -> bool:
        """Once it does not, nothing more is asked."""
        with self._probe_lock:
            if self._answers and time.monotonic() - self._probed_at > PROBE_VALID_SECONDS:
                self._answers = self.registry.answers()
                self._probed_at = time.monotonic()
            return self._answers

    def fetch(self, wanted: Iterable[ManifestRef]) -> dict[ManifestRef, FetchedManifest]:
        """Without those that did not come."""
        return {ref: fetched for ref, fetched in self.fetch_each(self._manifest, wanted).items() if fetched}

    def read_manifests(
        self,
        wanted: Mapping[ManifestRef, FetchedManifest],
        *,
        present: Callable[[Iterable[ManifestRef]], set[ManifestRef]],
        complete: Callable[[Iterable[str]], set[str]],
    ) -> ReadResult:
        """Read `wanted` and, level by level, the manifests that its indexes list and their repositories hold.

        `present` returns which manifests their repositories are known to hold; `complete`, which digests are stored
        whole.
        """
        result, level, fetches_left = (
            ReadResult(),
            dict(wanted),
            settings.INDEX_MANIFESTS_MAX,
        )  # left to be fetched
        root_of = {ref: ref for ref in wanted}  # of each, the one of `wanted` that it lies below
        while level:
            parsed = {
                ref: parse(fetched.body, fetched.media_type, digest=fetched.digest)
                for ref, fetched in level.items()
            }
            self._read_configs(
                result, {ref: each for ref, each in parsed.items() if each.kind != "index"}, complete
            )
            children_of: dict[ManifestRef, list[ManifestRef]] = {}
            for ref, manifest in parsed.items():
                if manifest.kind == "index":
                    result.add(ref, manifest)
                    children_of[ref] = [
                        ManifestRef(ref.repository, digest) for digest in manifest.child_digests
                    ]
            known = present({child for children in children_of.values() for child in children}) | result.seen
            new: dict[ManifestRef, ManifestRef] = {}
            for ref, children in children_of.items():
                new |= {child: root_of[ref] for child in children if child not in known and child not in new}
            root_of |= new
            to_fetch = in_turns(new, new.__getitem__)[:fetches_left]
            fetches_left -= len(to_fetch)
            answers = self.fetch_each(self._manifest, to_fetch)
            level = {ref: fetched for ref, fetched in answers.items() if fetched}
            available, unreached = known | level.keys(), set(to_fetch) - answers.keys()
            for ref, children in children_of.items():
                result.add_children(ref, children, available=available, unreached=unreached)
        result.finish()
        return result

    def _manifest(self, ref: ManifestRef) -> FetchedManifest | None:
        """None for one that cannot be read: its index is shown without its details."""
        try:
            return self.registry.manifest(ref.repository, ref.digest)
        except RegistryError as error:
            if self._is_transient(error):
                raise
            return None

    def _read_configs(
        self,
        result: ReadResult,
        manifests: Mapping[ManifestRef, ParsedManifest],
        complete: Callable[[Iterable[str]], set[str]],
    ) -> None:
        stored = complete({ref.digest for ref in manifests})
        result.seen |= {ref for ref in manifests if ref.digest in stored}
        new = {ref: manifest for ref, manifest in manifests.items() if ref.digest not in stored}
        read = self.fetch_each(lambda ref: self._read_config(ref.repository, new[ref]), new)
        for ref, manifest in read.items():
            result.add(ref, manifest)
        result.unreached |= new.keys() - read.keys()

    def _read_config(self, repository: str, manifest: ParsedManifest) -> ParsedManifest:
        """Return the manifest with what its config adds; a config that cannot be read adds nothing for now."""
        if not manifest.config:
            return manifest
        config = None
        try:
            config = self.registry.blob(repository, manifest.config, most=CONFIG_MAX)
        except RegistryError as error:
            if self._is_transient(error):
                raise
        return with_config(manifest, config)
