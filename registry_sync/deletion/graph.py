"""Loads from the inventory what surrounds some manifests of an image, for the rules in impact.py."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum

from accounts.common.batches import batches
from accounts.common.prepared_queries import prepared
from accounts.models import Account, RegistryUser
from namespaces.manifests.pull_stats import foreign_names, users_by_name
from namespaces.manifests.queries import about
from namespaces.models import Descriptor, Image, Manifest, PullStats, RepositoryManifest, Tag
from namespaces.names import DIGEST, is_technical, stem_of, technical_subject
from registry_sync.deletion.impact import DeletionGraph, ManifestNode

Alive = Callable[[], None]
NESTING_MAX = 10  # an index in an index in an index …
PULLED_WITHIN = timedelta(days=30)
PULLERS_SHOWN = 50
IMAGE = ("image__namespace__name", "image__name")


@dataclass(frozen=True)
class RecentPuller:
    """Who pulled one of the tags recently. `name`: the user's description, else the username; "" for anonymous.

    A `foreign` one belongs to another account, and has neither name nor username here.
    """

    name: str
    username: str
    foreign: bool
    tag: str
    count: int
    last_at: datetime
    image: str = ""  # namespace/name


@dataclass
class _Loader:
    """Collects the digests of a graph."""

    image: Image
    also_present: frozenset[str]
    alive: Alive
    found: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)

    def add(self, digests: Iterable[str]) -> set[str]:
        """Add, and return, those of `digests` that the image's repository holds and that are new here."""
        new = set(digests) - self.visited
        found = new & self.also_present
        self.visited |= new
        for some in _batches(new, self.alive):
            found |= set(_present(image=self.image.pk, digests=some))
        self.found |= found
        return found


@prepared
def _present(*, image: int, digests: list[str]) -> QuerySet[Manifest, str]:
    here = Q(repository_manifests__image=image, repository_manifests__gone_at=None) | Q(tags__image=image)
    return Manifest.objects.filter(here, digest__in=digests).values_list("digest", flat=True)


def load_graph(
    image: Image,
    digests: Iterable[str],
    *,
    also_present: Iterable[str] = (),
    alive: Alive = lambda: None,
) -> DeletionGraph:
    """Load `digests`, all that depends on them, and the indexes above those; nothing that is gone from the registry.

    `also_present`: just seen in the registry, perhaps not in the inventory yet. `alive` is called while this lasts.
    """
    loader = _Loader(image, frozenset(also_present), alive)
    below = loader.add(digests)
    frontier = below
    for _round in range(NESTING_MAX):
        frontier = loader.add(_below(image, frontier, alive))
        below |= frontier
    loader.add(_subjects(image, below, alive))
    frontier = below
    for _round in range(NESTING_MAX):
        frontier = loader.add(_above(frontier, alive))
    return DeletionGraph(nodes=_nodes(loader.found, alive), tags=_tags(image, loader.found, alive))


def pullers(
    image: Image, graph: DeletionGraph, digests: Collection[str], now: datetime
) -> list[RecentPuller]:
    """Return who pulled these manifests, or a tag that points at one, within 30 days; the latest first.

    At most PULLERS_SHOWN + 1.
    """
    tags = [tag for tag, digest in graph.tags.items() if digest in digests and not is_technical(tag)]
    rows = _recent_pulls_of(image=image.pk, tags=tags, digests=list(digests), since=now - PULLED_WITHIN)
    return pullers_of(rows, image.namespace.account, public=image.namespace.public)


@prepared
def _recent_pulls_of(
    *, image: int, tags: list[str], digests: list[str], since: datetime
) -> QuerySet[Any, dict[str, Any]]:
    named = Q(tag__in=tags) | Q(tag="", digest__in=digests)
    return recent_pulls(PullStats.objects.filter(named, image=image), since)


def recent_pulls(pulls: QuerySet[PullStats], since: datetime) -> QuerySet[Any, dict[str, Any]]:
    """Return the input of `pullers_of`, of these rows of one account."""
    # Pulling one image by digest pulls several manifests: people see that as one line.
    grouped = pulls.filter(last_at__gte=since).values("username", *IMAGE, "tag")
    ordered = grouped.annotate(times=Sum("count"), at=Max("last_at"))
    found: QuerySet[Any, dict[str, Any]] = ordered.order_by("-at", "username", *IMAGE, "tag")
    return found[: PULLERS_SHOWN + 1]


def pullers_of(rows: Collection[dict[str, Any]], account: Account, *, public: bool) -> list[RecentPuller]:
    """As `pullers`, of `recent_pulls`. `public`: some are of a public namespace."""
    names = {row["username"] for row in rows}
    own = users_by_name(account, names)
    foreign = foreign_names(names - {*own, ""}, public=public)
    return [_puller(row, own.get(row["username"]), foreign=row["username"] in foreign) for row in rows]


def _puller(row: Mapping[str, Any], user: RegistryUser | None, *, foreign: bool) -> RecentPuller:
    username = "" if foreign else row["username"]
    name = user.description if user else username
    image = "/".join(row[part] for part in IMAGE)
    return RecentPuller(name, username, foreign, row["tag"], row["times"], row["at"], image)


def _below(image: Image, digests: set[str], alive: Alive) -> set[str]:
    """Return what these list, as indexes, and what is about them."""
    found: set[str] = set()
    for some in _batches(digests, alive):
        found |= set(_listed_or_about(image=image.pk, digests=some, stems=[*map(stem_of, some)]))
    return found


@prepared
def _listed_or_about(*, image: int, digests: list[str], stems: list[str]) -> QuerySet[Any, str]:
    listed = Descriptor.objects.filter(manifest__digest__in=digests, kind=Descriptor.Kind.MANIFEST)
    by_subject = Manifest.objects.filter(about(digests))
    by_tag = Tag.objects.filter(image=image, technical=True, stem__in=stems).order_by()
    return listed.values_list("digest", flat=True).union(
        by_subject.values_list("digest", flat=True), by_tag.values_list("manifest_id", flat=True), all=True
    )


def _subjects(image: Image, digests: set[str], alive: Alive) -> set[str]:
    """Return what the technical tags of these are about."""
    found: set[str] = set()
    for some in _batches(digests, alive):
        for name in _technical_names(image=image.pk, digests=some):
            subject = technical_subject(name)
            if DIGEST.fullmatch(subject):
                found.add(subject)
            else:  # a digest that was too long for a tag, and was cut
                longer = RepositoryManifest.objects.filter(image=image, manifest__digest__startswith=subject)
                found |= set(longer.values_list("manifest_id", flat=True))
    return found


@prepared
def _technical_names(*, image: int, digests: list[str]) -> QuerySet[Tag, str]:
    tags = Tag.objects.filter(image=image, technical=True, manifest__digest__in=digests)
    return tags.order_by().values_list("name", flat=True)


def _above(digests: set[str], alive: Alive) -> set[str]:
    """Return the indexes that list these."""
    found: set[str] = set()
    for some in _batches(digests, alive):
        found |= set(_indexes_listing(digests=some))
    return found


@prepared
def _indexes_listing(*, digests: list[str]) -> QuerySet[Descriptor, str]:
    listing = Descriptor.objects.filter(digest__in=digests, kind=Descriptor.Kind.MANIFEST)
    return listing.values_list("manifest_id", flat=True)


def _nodes(digests: set[str], alive: Alive) -> dict[str, ManifestNode]:
    lists: dict[str, set[str]] = defaultdict(set)
    blobs: dict[str, dict[str, int]] = defaultdict(dict)
    subjects: dict[str, str] = {}
    platforms: dict[str, set[str]] = {}
    body_bytes: dict[str, int] = {}
    for some in _batches(digests, alive):
        for digest, subject, kind, listed, weight in _manifests(digests=some):
            subjects[digest] = subject
            body_bytes[digest] = weight or 0
            if kind == "index":
                platforms[digest] = {each["digest"] for each in listed}
        for manifest, digest, kind, size in _descriptors(digests=some):
            if kind == Descriptor.Kind.MANIFEST:
                lists[manifest].add(digest)
            else:
                blobs[manifest][digest] = size
    return {
        digest: ManifestNode(
            digest,
            frozenset(lists[digest]),
            blobs[digest],
            subjects.get(digest) or _common_subject(lists[digest], subjects),
            frozenset(lists[digest] - platforms.get(digest, lists[digest])),
            body_bytes.get(digest, 0),
        )
        for digest in sorted(digests)
    }


@prepared
def _manifests(
    *, digests: list[str]
) -> QuerySet[Manifest, tuple[str, str, str, list[dict[str, str]], int | None]]:
    rows = Manifest.objects.filter(digest__in=digests)
    return rows.values_list("digest", "subject", "kind", "platforms", "body_bytes")


@prepared
def _descriptors(*, digests: list[str]) -> QuerySet[Descriptor, tuple[str, str, str, int]]:
    rows = Descriptor.objects.filter(manifest__digest__in=digests)
    return rows.values_list("manifest_id", "digest", "kind", "size")


def _common_subject(listed: set[str], subjects: dict[str, str]) -> str:
    """Return the subject that all of `listed` share; "" for none.

    Then their index is a list of referrers, or was one until a tool wrote the next one and took its tag.
    """
    shared = {subjects.get(digest, "") for digest in listed}
    return shared.pop() if len(shared) == 1 else ""


def _tags(image: Image, digests: set[str], alive: Alive) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _batches(digests, alive):
        found.update(_tags_of(image=image.pk, digests=some))
    return found


@prepared
def _tags_of(*, image: int, digests: list[str]) -> QuerySet[Tag, tuple[str, str]]:
    rows = Tag.objects.filter(image=image, manifest__digest__in=digests)
    return rows.order_by("name").values_list("name", "manifest_id")


def _batches(digests: Iterable[str], alive: Alive) -> Iterator[list[str]]:
    for some in batches(sorted(digests)):
        alive()
        yield list(some)
