"""Reads repositories from the registry, several at once. Knows the registry and the shapes, not the database."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from namespaces.names import DIGEST
from registry_sync.client import Fetched, Missing, Registry, RegistryError, Unreachable
from registry_sync.sync.manifests import CONFIG_MAX, Parsed, parse, parse_config

PARALLEL = 8
CHILDREN_MAX = 100
One = TypeVar("One")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class TagsRead:
    """A repository's complete tag list: tag → digest, with the manifests that came along.

    `unreadable` tags are in the list, but their manifest did not come: nothing is known about them.
    `problem` set means the list itself is not complete, and nothing at all may be concluded.
    """

    repository: str
    digests: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, Fetched] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    problem: str = ""


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


class Reader:
    """A pool of threads over one registry client."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="registry")

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def each(self, work: Callable[[One], Answer], things: Iterable[One]) -> list[Answer]:
        return list(self._pool.map(work, things))

    def read_tags(self, known: Mapping[str, Mapping[str, str]]) -> list[TagsRead]:
        """`known`: repository → tag → digest that we have. An unchanged tag costs one conditional request."""
        return self.each(lambda name: read_tags(self.registry, name, known[name]), known)

    def read_manifests(
        self, wanted: Mapping[str, tuple[str, Fetched]], sizes: Callable[[Iterable[str]], dict[str, int]]
    ) -> list[ManifestValues]:
        """The rows for manifests seen for the first time, their platforms' manifests first.

        `wanted`: digest → (a repository that holds it, what was fetched). `sizes` tells, of digests, those
        that are stored already, with their sizes.
        """
        parsed = {digest: (name, parse(got.body, got.media_type)) for digest, (name, got) in wanted.items()}
        children = {
            child["digest"]: name
            for name, each in parsed.values()
            for child in each.children[:CHILDREN_MAX]
            if DIGEST.fullmatch(child["digest"])
        }
        stored = sizes(children)
        rows = self._read_children({d: name for d, name in children.items() if d not in {*stored, *parsed}})
        plain = {digest: pair for digest, pair in parsed.items() if pair[1].kind != "index"}
        rows += self.each(lambda digest: read_config(self.registry, digest, *plain[digest]), plain)
        stored |= {row.digest: row.size for row in rows}
        known = {row.digest: row for row in rows}
        rows += [
            _index(d, each, stored, known) for d, (_name, each) in parsed.items() if each.kind == "index"
        ]
        return rows

    def _read_children(self, wanted: Mapping[str, str]) -> list[ManifestValues]:
        def read(digest: str) -> ManifestValues | None:
            """A child that cannot be read leaves its index shown without its details."""
            try:
                fetched = self.registry.manifest(wanted[digest], digest)
            except Unreachable:
                raise
            except RegistryError:
                return None
            assert fetched
            return read_config(self.registry, digest, wanted[digest], parse(fetched.body, fetched.media_type))

        return [row for row in self.each(read, wanted) if row is not None]


def read_tags(registry: Registry, repository: str, known: Mapping[str, str]) -> TagsRead:
    read = TagsRead(repository)
    try:
        tags = registry.tags(repository)
    except Missing:
        tags = []  # Distribution 2.8 lists a repository that has blobs and no manifest yet
    except RegistryError as error:
        read.problem = str(error)
        return read
    for tag in tags:
        try:
            fetched = registry.manifest(repository, tag, known=known.get(tag, ""))
        except Unreachable as error:
            read.problem = str(error)
            return read
        except RegistryError:  # deleted since the list was made, or a lie
            read.unreadable.append(tag)
            continue
        read.digests[tag] = fetched.digest if fetched else known[tag]
        if fetched:
            read.fetched[fetched.digest] = fetched
    return read


def read_config(registry: Registry, digest: str, repository: str, parsed: Parsed) -> ManifestValues:
    """A plain manifest with what its config adds; a config that cannot be read adds nothing."""
    platform, created, details = "", None, parsed.details
    if DIGEST.fullmatch(parsed.config) and parsed.config_size <= CONFIG_MAX:
        try:
            body = registry.blob(repository, parsed.config, most=CONFIG_MAX)
        except Unreachable:
            raise
        except RegistryError:
            body = b""
        config = parse_config(body, details.get("layers", []))
        platform, created, details = config.platform, config.created_at, {**details, **config.details}
    platforms = [{"platform": platform, "digest": digest, "size": parsed.size}] if platform else []
    return _values(digest, parsed, parsed.size, created, platforms, details)


def _index(
    digest: str, parsed: Parsed, sizes: Mapping[str, int], known: Mapping[str, ManifestValues]
) -> ManifestValues:
    platforms = [{**child, "size": sizes.get(child["digest"], 0)} for child in parsed.children[:CHILDREN_MAX]]
    moments = [
        row.created_at for child in platforms if (row := known.get(child["digest"])) and row.created_at
    ]
    size = sum(child["size"] for child in platforms)
    return _values(digest, parsed, size, max(moments, default=None), platforms, parsed.details)


def _values(
    digest: str,
    parsed: Parsed,
    size: int,
    created: datetime | None,
    platforms: list[dict[str, Any]],
    details: dict[str, Any],
) -> ManifestValues:
    return ManifestValues(
        digest=digest, media_type=parsed.media_type, kind=parsed.kind, artifact_type=parsed.artifact_type,
        size=size, created_at=created, platforms=platforms, details=details,
    )  # fmt: skip


def as_fields(values: ManifestValues) -> dict[str, Any]:
    return asdict(values)
