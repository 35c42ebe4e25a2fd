"""What the picture says around some manifests of an image, for the rules in impact.py."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum

from accounts.models import Account, RegistryUser
from namespaces.manifests.pull_stats import foreign_names, users_by_name
from namespaces.models import Descriptor, Image, Manifest, PullStats, RepositoryManifest, Tag
from namespaces.names import DIGEST, is_technical, stem_of, technical_subject
from registry_sync.deletion.impact import DeletionGraph, ManifestNode, PlannedDeletion, blobs_of
from registry_sync.inventory.writer import batches

Alive = Callable[[], None]
ROUNDS = 10  # an index in an index in an index …
PULLED_WITHIN = timedelta(days=30)
PULLERS_SHOWN = 50
IMAGE = ("image__namespace__name", "image__name")


@dataclass(frozen=True)
class RecentPuller:
    """Who pulled one of the tags lately; `name` is the user's description, or the username, or "" for anonymous.

    A `foreign` one is of another account, and has neither name nor username here.
    """

    name: str
    username: str
    foreign: bool
    tag: str
    count: int
    last_at: datetime
    image: str = ""  # namespace/name


@dataclass
class _Known:
    """Grows while one looks around."""

    image: Image
    seen: frozenset[str]
    alive: Alive
    held: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def admit(self, digests: Iterable[str]) -> set[str]:
        """Those of `digests` that the image's repository holds and that were not met yet."""
        new = set(digests) - self.asked
        found = new & self.seen
        self.asked |= new
        for some in _batches(new, self.alive):
            rows = Manifest.objects.filter(digest__in=some)
            here = Q(repository_manifests__image=self.image, repository_manifests__gone_at=None) | Q(
                tags__image=self.image
            )
            found |= set(rows.filter(here).values_list("digest", flat=True))
        self.held |= found
        return found


def load_graph(
    image: Image,
    digests: Iterable[str],
    *,
    also_held: Iterable[str] = (),
    alive: Alive = lambda: None,
) -> DeletionGraph:
    """`digests`, all that hangs on them, and the indexes above those; nothing that the registry holds no more.

    `also_held`: what was just seen to be there, and the picture may not know yet. `alive` is called while it lasts.
    """
    known = _Known(image, frozenset(also_held), alive)
    below = known.admit(digests)
    frontier = below
    for _round in range(ROUNDS):
        frontier = known.admit(_below(image, frontier, alive))
        below |= frontier
    known.admit(_subjects(image, below, alive))
    frontier = below
    for _round in range(ROUNDS):
        frontier = known.admit(_above(frontier, alive))
    return DeletionGraph(held=_held(known.held, alive), tags=_tags(image, known.held, alive))


def freed_bytes(image: Image, facts: DeletionGraph, going: Iterable[PlannedDeletion]) -> int:
    """Bytes that nothing else in the account needs, as far as is known. At most: others may share them unseen."""
    digests = {each.digest for each in going}
    elsewhere = RepositoryManifest.objects.filter(manifest__in=digests, gone_at=None).exclude(image=image)
    shared = set(elsewhere.values_list("manifest_id", flat=True))
    blobs = blobs_of(facts, [each for each in going if each.digest not in shared])
    used: set[str] = set()
    for some in batches(sorted(blobs)):
        others = Descriptor.objects.filter(
            digest__in=some,
            manifest__repository_manifests__gone_at=None,
            manifest__repository_manifests__image__namespace__account=image.namespace.account,
        ).exclude(manifest__in=digests - shared)
        used |= set(others.values_list("digest", flat=True))
    return sum(size for digest, size in blobs.items() if digest not in used)


def pullers(image: Image, facts: DeletionGraph, going: Iterable[str], now: datetime) -> list[RecentPuller]:
    """Return who pulled these manifests, or a tag that points at one, within 30 days; the last first.

    One more than PULLERS_SHOWN where there are more.
    """
    digests = set(going)
    tags = [tag for tag, digest in facts.tags.items() if digest in digests and not is_technical(tag)]
    rows = PullStats.objects.filter(Q(tag__in=tags) | Q(tag="", digest__in=digests), image=image)
    return pullers_of(rows, image.namespace.account, now, public=image.namespace.public)


def pullers_of(
    pulls: QuerySet[PullStats], account: Account, now: datetime, *, public: bool
) -> list[RecentPuller]:
    """As `pullers`, of these rows of one account; `public`: some are of a public namespace."""
    # A client that pulls one image by digest pulls several manifests: for people that is one line.
    lines = pulls.filter(last_at__gte=now - PULLED_WITHIN).values("username", *IMAGE, "tag")
    ordered = lines.annotate(times=Sum("count"), at=Max("last_at"))
    found = list(ordered.order_by("-at", "username", *IMAGE, "tag")[: PULLERS_SHOWN + 1])
    names = {line["username"] for line in found}
    own = users_by_name(account, names)
    foreign = foreign_names(names - {*own, ""}, public=public)
    return [_puller(line, own.get(line["username"]), foreign=line["username"] in foreign) for line in found]


def _puller(line: Mapping[str, Any], user: RegistryUser | None, *, foreign: bool) -> RecentPuller:
    username = "" if foreign else line["username"]
    name = user.description if user else username
    image = "/".join(line[part] for part in IMAGE)
    return RecentPuller(name, username, foreign, line["tag"], line["times"], line["at"], image)


def _below(image: Image, digests: set[str], alive: Alive) -> set[str]:
    """Return what indexes list, and what is about them."""
    found: set[str] = set()
    for some in _batches(digests, alive):
        listed = Descriptor.objects.filter(manifest__in=some, kind=Descriptor.Kind.MANIFEST)
        found |= set(listed.values_list("digest", flat=True))
        found |= set(Manifest.objects.filter(subject__in=some).values_list("digest", flat=True))
        tags = Tag.objects.filter(image=image, technical=True, stem__in=[stem_of(digest) for digest in some])
        found |= set(tags.values_list("manifest_id", flat=True))
    return found


def _subjects(image: Image, digests: set[str], alive: Alive) -> set[str]:
    """Return what the tags that tools gave these are about."""
    found: set[str] = set()
    for some in _batches(digests, alive):
        tags = Tag.objects.filter(image=image, technical=True, manifest__in=some)
        for name in tags.values_list("name", flat=True):
            about = technical_subject(name)
            if DIGEST.fullmatch(about):
                found.add(about)
            else:  # a longer one, cut
                longer = RepositoryManifest.objects.filter(image=image, manifest__digest__startswith=about)
                found |= set(longer.values_list("manifest_id", flat=True))
    return found


def _above(digests: set[str], alive: Alive) -> set[str]:
    found: set[str] = set()
    for some in _batches(digests, alive):
        listing = Descriptor.objects.filter(digest__in=some, kind=Descriptor.Kind.MANIFEST)
        found |= set(listing.values_list("manifest_id", flat=True))
    return found


def _held(digests: set[str], alive: Alive) -> dict[str, ManifestNode]:
    lists: dict[str, set[str]] = defaultdict(set)
    blobs: dict[str, dict[str, int]] = defaultdict(dict)
    subjects: dict[str, str] = {}
    platforms: dict[str, set[str]] = {}
    for some in _batches(digests, alive):
        rows = Manifest.objects.filter(digest__in=some).values_list("digest", "subject", "kind", "platforms")
        for digest, subject, kind, listed in rows:
            subjects[digest] = subject
            if kind == "index":
                platforms[digest] = {each["digest"] for each in listed}
        parts = Descriptor.objects.filter(manifest__in=some).values_list(
            "manifest_id", "digest", "kind", "size"
        )
        for manifest, digest, kind, size in parts:
            if kind == Descriptor.Kind.MANIFEST:
                lists[manifest].add(digest)
            else:
                blobs[manifest][digest] = size
    return {
        digest: ManifestNode(
            digest,
            frozenset(lists[digest]),
            blobs[digest],
            subjects.get(digest) or _subject_of_all(lists[digest], subjects),
            frozenset(lists[digest] - platforms.get(digest, lists[digest])),
        )
        for digest in sorted(digests)
    }


def _subject_of_all(listed: set[str], subjects: dict[str, str]) -> str:
    """Return what each of `listed` is about, if that is one thing.

    Then the index that lists them is a list of referrers, or was one before a tool wrote the next and left it without a
    tag.
    """
    about = {subjects.get(digest, "") for digest in listed}
    return about.pop() if len(about) == 1 else ""


def _tags(image: Image, digests: set[str], alive: Alive) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _batches(digests, alive):
        found.update(Tag.objects.filter(image=image, manifest__in=some).values_list("name", "manifest_id"))
    return found


def _batches(digests: Iterable[str], alive: Alive) -> Iterator[Sequence[str]]:
    for some in batches(sorted(digests)):
        alive()
        yield some
