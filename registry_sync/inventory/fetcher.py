"""Fetches manifests seen for the first time, with their platforms and configs. Knows the registry, not the database."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self, TypeVar

from django.conf import settings

from accounts.common.fair_share import in_turns
from namespaces.names import DIGEST, split
from registry_sync.client import FetchedManifest, RegistryClient, RegistryError, ServerError, TemporaryFailure
from registry_sync.inventory.parser import CONFIG_MAX, Descriptor, Parsed, parse, parse_config

PARALLEL = 8
# Requests in a row without an answer (twice PARALLEL): then the catalog is asked for, and without it reading stops.
NO_RESPONSE_MAX = 16
REPOSITORY_NO_RESPONSE_MAX = 4  # the same of one repository: then the rest of it is skipped
PROBE_VALID_SECONDS = 1.0  # seconds for which an answer proves that the registry answers
BODY_KEPT_MAX = 1024 * 1024  # bytes of a manifest that are kept, to be shown raw or pushed again
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class ManifestValues:
    """The fields of a namespaces.models.Manifest row."""

    digest: str
    media_type: str
    kind: str
    artifact_type: str
    size: int
    created_at: datetime | None
    platforms: list[dict[str, Any]]
    details: dict[str, Any]
    subject: str
    parts: tuple[Descriptor, ...]
    body: bytes
    complete: bool = True  # False: its config did not come


class ManifestRef(NamedTuple):
    """A manifest in a repository: what is there in one may be missing in another."""

    repository: str
    digest: str


@dataclass(slots=True)
class ReadResult:
    """What was read.

    `seen` are there; `due` are to be read again, since something of them did not come; of `lost`, or of what they list,
    the registry was not reached.
    """

    rows: dict[str, ManifestValues] = field(default_factory=dict)
    seen: set[ManifestRef] = field(default_factory=set)
    due: set[ManifestRef] = field(default_factory=set)
    lost: set[ManifestRef] = field(default_factory=set)
    _above: dict[ManifestRef, set[ManifestRef]] = field(default_factory=dict)

    def add(self, place: ManifestRef, row: ManifestValues) -> None:
        self.seen.add(place)
        if place.digest not in self.rows or row.complete:
            self.rows[place.digest] = row
        if not row.complete:
            self.due.add(place)

    def lists(
        self,
        index: ManifestRef,
        listed: Iterable[ManifestRef],
        *,
        came: Collection[ManifestRef],
        lost: Collection[ManifestRef],
    ) -> None:
        for child in listed:
            self._above.setdefault(child, set()).add(index)
            if child not in came:
                self.due.add(index)
        self.lost |= set(listed) & set(lost)

    @property
    def read(self) -> set[ManifestRef]:
        """Those of which, and of all below, the registry was reached."""
        without, left = set[ManifestRef](), list(self.lost)
        while left:
            place = left.pop()
            if place not in without:
                without.add(place)
                left += self._above.get(place, ())
        return self.seen - without


class ManifestReader:
    """A context manager: a pool of threads over one registry client.

    `alive` is called in the caller's thread all the while; when it raises, the reading stops. `silence` is why the
    registry was last not reached, None when it was.
    """

    def __init__(self, registry: RegistryClient, *, alive: Callable[[], None] = lambda: None) -> None:
        self.registry = registry
        self.silence: TemporaryFailure | None = None
        self._silent = 0
        self._silent_of = Counter[str]()
        self._proof = threading.Lock()
        self._asked_at, self._answers = float("-inf"), True
        self._alive = alive
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="registry")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def each(
        self, work: Callable[[ManifestRef], Answer], places: Iterable[ManifestRef]
    ) -> dict[ManifestRef, Answer]:
        """Return place → answer, without those for which the registry was not reached."""
        fair = in_turns(places, lambda place: split(place.repository)[0])
        asked = {place: self._pool.submit(self._one, work, place) for place in fair}
        left = set(asked.values())
        try:
            while left:
                _done, left = wait(left, timeout=self.registry.timing.look)
                self.registry.pace.look()
                self._alive()
        finally:
            for each in left:
                each.cancel()
        found = {place: each.result() for place, each in asked.items()}
        return {place: answer[0] for place, answer in found.items() if answer}

    def _one(self, work: Callable[[ManifestRef], Answer], place: ManifestRef) -> tuple[Answer] | None:
        if self._silent_of[place.repository] >= REPOSITORY_NO_RESPONSE_MAX:
            return None
        if self._silent >= NO_RESPONSE_MAX and not self._answers_others():
            return None
        while self.registry.pace.is_ahead():
            time.sleep(self.registry.timing.look)
        try:
            answer = work(place)
        except TemporaryFailure as error:
            self.silence = error
            self._silent += 1
            self._silent_of[place.repository] += 1
            return None
        self.silence, self._silent, self._silent_of[place.repository] = None, 0, 0
        return (answer,)

    def _passes(self, error: RegistryError) -> bool:
        """Whether it may be over soon, so that nothing is concluded from it."""
        if not isinstance(error, TemporaryFailure):
            return False
        return not isinstance(error, ServerError) or not self._answers_others()

    def _answers_others(self) -> bool:
        """Once it does not, nothing more is asked."""
        with self._proof:
            if self._answers and time.monotonic() - self._asked_at > PROBE_VALID_SECONDS:
                self._answers = self.registry.answers()
                self._asked_at = time.monotonic()
            return self._answers

    def fetch(self, wanted: Iterable[ManifestRef]) -> dict[ManifestRef, FetchedManifest]:
        """Without those that did not come."""
        return {place: got for place, got in self.each(self._manifest, wanted).items() if got}

    def read_manifests(
        self,
        wanted: Mapping[ManifestRef, FetchedManifest],
        *,
        held: Callable[[Iterable[ManifestRef]], set[ManifestRef]],
        whole: Callable[[Iterable[str]], set[str]],
    ) -> ReadResult:
        """`wanted` and, level by level, what indexes among it list and their repositories hold.

        `held` tells, of places, those known to be there; `whole`, of digests, those stored with all that they say.
        """
        reading, level, left = (
            ReadResult(),
            dict(wanted),
            settings.INDEX_MANIFESTS_MAX,
        )  # left to be asked for
        roots = {place: place for place in wanted}  # of each, the one of `wanted` that it lies below
        while level:
            parsed = {place: (got, parse(got.body, got.media_type)) for place, got in level.items()}
            self._read_plain(reading, parsed, whole)
            below: dict[ManifestRef, list[ManifestRef]] = {}
            for place, (got, each) in parsed.items():
                if each.kind == "index":
                    reading.add(place, _index(got, each))
                    below[place] = [ManifestRef(place.repository, digest) for digest in _child_digests(each)]
            there = held({child for children in below.values() for child in children}) | reading.seen
            new: dict[ManifestRef, ManifestRef] = {}
            for place, children in below.items():
                new |= {child: roots[place] for child in children if child not in there and child not in new}
            roots |= new
            asked = in_turns(new, new.__getitem__)[:left]
            left -= len(asked)
            answers = self.each(self._manifest, asked)
            level = {place: got for place, got in answers.items() if got}
            came, lost = there | level.keys(), set(asked) - answers.keys()
            for place, children in below.items():
                reading.lists(place, children, came=came, lost=lost)
        return reading

    def _manifest(self, place: ManifestRef) -> FetchedManifest | None:
        """None for one that cannot be read: its index is shown without its details."""
        try:
            return self.registry.manifest(place.repository, place.digest)
        except RegistryError as error:
            if self._passes(error):
                raise
            return None

    def _read_plain(
        self,
        reading: ReadResult,
        parsed: Mapping[ManifestRef, tuple[FetchedManifest, Parsed]],
        whole: Callable[[Iterable[str]], set[str]],
    ) -> None:
        plain = {place: found for place, found in parsed.items() if found[1].kind != "index"}
        stored = whole({place.digest for place in plain})
        reading.seen |= {place for place in plain if place.digest in stored}
        new = {place: found for place, found in plain.items() if place.digest not in stored}
        rows = self.each(lambda place: self._read_config(place.repository, *new[place]), new)
        for place, row in rows.items():
            reading.add(place, row)
        reading.lost |= new.keys() - rows.keys()

    def _read_config(self, repository: str, got: FetchedManifest, parsed: Parsed) -> ManifestValues:
        """Return a plain manifest with what its config adds; a config that cannot be read adds nothing for now."""
        platform, created, details, body = "", parsed.created_at, parsed.details, None
        wanted = DIGEST.fullmatch(parsed.config) and parsed.config_size <= CONFIG_MAX
        if wanted:
            try:
                body = self.registry.blob(repository, parsed.config, most=CONFIG_MAX)
            except RegistryError as error:
                if self._passes(error):
                    raise
            config = parse_config(body or b"", parsed.config_type, details.get("layers", []))
            platform, created = config.platform, config.created_at or created
            details = {**details, **config.details}
        platforms = [{"platform": platform, "digest": got.digest, "size": parsed.size}] if platform else []
        complete = not wanted or body is not None
        return _values(got, parsed, parsed.size, created, platforms, details, complete=complete)


def _index(got: FetchedManifest, parsed: Parsed) -> ManifestValues:
    """Without what follows from the manifests it lists; see sums.py."""
    platforms = [{**child, "size": None} for child in parsed.children]
    return _values(got, parsed, parsed.size, parsed.created_at, platforms, parsed.details, complete=True)


def _child_digests(index: Parsed) -> list[str]:
    return [part.digest for part in index.parts if part.kind == "manifest"]


def _values(
    got: FetchedManifest,
    parsed: Parsed,
    size: int,
    created: datetime | None,
    platforms: list[dict[str, Any]],
    details: dict[str, Any],
    *,
    complete: bool,
) -> ManifestValues:
    return ManifestValues(
        digest=got.digest, media_type=parsed.media_type, kind=parsed.kind, artifact_type=parsed.artifact_type,
        size=size, created_at=created, platforms=platforms, details=details, subject=parsed.subject,
        parts=parsed.parts, body=got.body if len(got.body) <= BODY_KEPT_MAX else b"", complete=complete,
    )  # fmt: skip
