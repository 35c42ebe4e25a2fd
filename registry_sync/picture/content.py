"""Fetches manifests seen for the first time, with their platforms and configs. Knows the registry, not the database."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self, TypeVar

from accounts.shares import in_turns
from namespaces.names import DIGEST, split
from registry_sync.client import Faulty, Fetched, Registry, RegistryError, Unreachable
from registry_sync.client.pace import LOOK
from registry_sync.picture.manifests import (
    CONFIG_MAX,
    SUM_MAX,
    Parsed,
    Part,
    parse,
    parse_config,
)

PARALLEL = 8
GIVE_UP = 16  # as many in a row without an answer, twice what is asked at once, and nothing more is asked if it is away
GIVE_UP_ONE = 4  # as many in a row of one repository, and nothing more of it is asked
PROVEN = 1.0  # seconds for which an answer proves that the registry answers
READ_MAX = 1000  # manifests that indexes list and nobody has read; the rest comes when they are read again
KEPT_MAX = 1024 * 1024  # bytes of a manifest that are kept, to be shown raw or pushed again
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
    parts: tuple[Part, ...]
    body: bytes
    complete: bool = True  # False: its config, or a platform's manifest, did not come


class ContentReader:
    """A context manager: a pool of threads over one registry client.

    `alive` is called in the caller's thread all the while; when it raises, the reading stops. `silence` is why the
    registry was last not reached, None when it was.
    """

    def __init__(self, registry: Registry, *, alive: Callable[[], None] = lambda: None) -> None:
        self.registry = registry
        self.silence: Unreachable | None = None
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

    def each(self, work: Callable[[str], Answer], wanted: Mapping[str, str]) -> dict[str, Answer]:
        """`wanted`: digest → repository. digest → answer out, without those for which the registry was not reached."""
        fair = in_turns(wanted.items(), lambda item: split(item[1])[0])
        asked = {digest: self._pool.submit(self._one, work, digest, name) for digest, name in fair}
        left = set(asked.values())
        try:
            while left:
                _done, left = wait(left, timeout=LOOK)
                self.registry.pace.look()
                self._alive()
        finally:
            for each in left:
                each.cancel()
        found = {digest: each.result() for digest, each in asked.items()}
        return {digest: answer[0] for digest, answer in found.items() if answer}

    def _one(self, work: Callable[[str], Answer], digest: str, repository: str) -> tuple[Answer] | None:
        if self._silent_of[repository] >= GIVE_UP_ONE:
            return None
        if self._silent >= GIVE_UP and not self._answers_others():
            return None
        while self.registry.pace.is_ahead():
            time.sleep(LOOK)
        try:
            answer = work(digest)
        except Unreachable as error:
            self.silence = error
            self._silent += 1
            self._silent_of[repository] += 1
            return None
        self.silence, self._silent, self._silent_of[repository] = None, 0, 0
        return (answer,)

    def _passes(self, error: RegistryError) -> bool:
        """Whether it may be over soon, so that nothing is concluded from it."""
        if not isinstance(error, Unreachable):
            return False
        return not isinstance(error, Faulty) or not self._answers_others()

    def _answers_others(self) -> bool:
        """Once it does not, nothing more is asked."""
        with self._proof:
            if self._answers and time.monotonic() - self._asked_at > PROVEN:
                self._answers = self.registry.answers()
                self._asked_at = time.monotonic()
            return self._answers

    def fetch(self, wanted: Mapping[str, str]) -> dict[str, tuple[str, Fetched]]:
        """digest → repository in, digest → (repository, manifest) out; without those that did not come."""

        def one(digest: str) -> Fetched | None:
            try:
                return self.registry.manifest(wanted[digest], digest)
            except RegistryError as error:
                if self._passes(error):
                    raise
                return None

        return {digest: (wanted[digest], got) for digest, got in self.each(one, wanted).items() if got}

    def read_manifests(
        self, wanted: Mapping[str, tuple[str, Fetched]], sizes: Callable[[Iterable[str]], dict[str, int]]
    ) -> list[ManifestValues]:
        """The rows for manifests seen for the first time, their platforms' manifests first; without those of which
        the registry was not reached for a part.

        `wanted`: digest → (a repository that holds it, what was fetched). `sizes` tells, of digests, those
        that are stored already, with their sizes.
        """
        parsed = {
            digest: (name, got, parse(got.body, got.media_type)) for digest, (name, got) in wanted.items()
        }
        children = {
            part.digest: name
            for name, _got, each in parsed.values()
            for part in each.parts
            if _is_child(part)
        }
        stored = sizes(children)
        new = {digest: name for digest, name in children.items() if digest not in {*stored, *parsed}}
        new = dict(islice(new.items(), READ_MAX))
        read = self._read_children(new)
        rows = [row for row in read.values() if row]
        plain = {digest: found for digest, found in parsed.items() if found[2].kind != "index"}
        holders = {digest: name for digest, (name, _got, _parsed) in plain.items()}
        rows += self.each(lambda digest: self._read_config(*plain[digest]), holders).values()
        stored |= {row.digest: row.size for row in rows}
        known = {row.digest: row for row in rows}
        silent = new.keys() - read.keys()
        rows += [
            _index(got, each, stored, known)
            for _name, got, each in parsed.values()
            if each.kind == "index" and silent.isdisjoint(part.digest for part in each.parts)
        ]
        return rows

    def _read_children(self, wanted: Mapping[str, str]) -> dict[str, ManifestValues | None]:
        def read(digest: str) -> ManifestValues | None:
            """A child that cannot be read leaves its index shown without its details."""
            try:
                fetched = self.registry.manifest(wanted[digest], digest)
            except RegistryError as error:
                if self._passes(error):
                    raise
                return None
            assert fetched
            return self._read_config(wanted[digest], fetched, parse(fetched.body, fetched.media_type))

        return self.each(read, wanted)

    def _read_config(self, repository: str, got: Fetched, parsed: Parsed) -> ManifestValues:
        """A plain manifest with what its config adds; a config that cannot be read adds nothing for now."""
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


def _is_child(part: Part) -> bool:
    return part.kind == "manifest"


def _index(
    got: Fetched, parsed: Parsed, sizes: Mapping[str, int], known: Mapping[str, ManifestValues]
) -> ManifestValues:
    platforms = [{**child, "size": sizes.get(child["digest"])} for child in parsed.children]
    moments = [
        row.created_at for child in platforms if (row := known.get(child["digest"])) and row.created_at
    ]
    once = {child["digest"]: child["size"] or 0 for child in platforms}
    size = min(parsed.size + sum(once.values()), SUM_MAX)
    complete = all(part.digest in sizes for part in parsed.parts if _is_child(part))
    created = max(moments, default=parsed.created_at)
    return _values(got, parsed, size, created, platforms, parsed.details, complete=complete)


def _values(
    got: Fetched,
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
        parts=parsed.parts, body=got.body if len(got.body) <= KEPT_MAX else b"", complete=complete,
    )  # fmt: skip
