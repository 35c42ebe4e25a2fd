"""What goes when images go with all in them: one, some, or a namespace's. Counted, where it may be a lot."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum

from accounts.models import Account
from namespaces.models import Descriptor, Image, Manifest, Namespace, PullStats, RepositoryManifest, Tag
from registry_sync.client.responses import SIGNED_SCHEMA_1
from registry_sync.deletion import graph, pull_through_cache, unreadable
from registry_sync.deletion.fingerprint import fingerprint
from registry_sync.deletion.unreadable import UnreadableManifest
from registry_sync.models import Repository

SHOWN = 10
EXACT = 20_000  # manifests; of more the bytes are those that were counted last, shared ones too
LARGEST = 500  # layers, by which others that share are looked for
BLOBS = (Descriptor.Kind.CONFIG, Descriptor.Kind.LAYER)


@dataclass(frozen=True, slots=True)
class ImageContents:
    """An image that goes."""

    image: Image
    tags: int
    technical: int
    manifests: int
    last_revision: int


@dataclass(frozen=True)
class PurgeScope:
    """How much there is, and up to which row. `preview_digest` is another after every push, move and deletion."""

    lines: list[ImageContents]

    @property
    def tags(self) -> int:
        return sum(each.tags for each in self.lines)

    @property
    def technical(self) -> int:
        return sum(each.technical for each in self.lines)

    @property
    def manifests(self) -> int:
        return sum(each.manifests for each in self.lines)

    @property
    def cutoffs(self) -> dict[str, list[int]]:
        return {str(each.image.pk): [each.image.newest_history_id, each.last_revision] for each in self.lines}

    @property
    def preview_digest(self) -> str:
        whole = [
            [*each, line.tags, line.manifests]
            for each, line in zip(self.cutoffs.items(), self.lines, strict=True)
        ]
        return fingerprint(whole)


@dataclass(frozen=True)
class PurgePreview(PurgeScope):
    freed: int = 0
    pullers: list[graph.RecentPuller] = field(default_factory=list)
    pullers_cut: bool = False  # there are more
    sharers: list[str] = field(
        default_factory=list
    )  # repositories of the account that keep some of its layers
    unread: list[tuple[Image, UnreadableManifest]] = field(
        default_factory=list
    )  # go first, and hold the rest until they are gone
    troubled: list[Repository] = field(default_factory=list)  # whose picture may not be whole
    for_good: int = 0  # manifests that cannot be put back
    refused: str = ""  # why it cannot be done; "" when it can

    @property
    def shown(self) -> list[ImageContents]:
        return sorted(self.lines, key=lambda line: (-line.tags, line.image.name))[:SHOWN]


def images(namespace: Namespace, image: Image | None) -> QuerySet[Image]:
    """Return what the registry was ever seen to have of it."""
    found = Image.objects.filter(namespace=namespace).exclude(repository_row=None)
    return found.filter(pk=image.pk) if image else found


def scope_of(scope: QuerySet[Image]) -> PurgeScope:
    tagged = Tag.objects.filter(image__in=scope.values("pk")).order_by().values("image")
    tags = {
        row["image"]: row
        for row in tagged.annotate(n=Count("pk"), tools=Count("pk", filter=Q(technical=True)))
    }
    held = (
        RepositoryManifest.objects.filter(image__in=scope.values("pk"), gone_at=None)
        .order_by()
        .values("image")
    )
    revisions = {row["image"]: row for row in held.annotate(n=Count("pk"), last=Max("pk"))}
    nothing = {"n": 0, "tools": 0, "last": 0}
    rows = scope.select_related("namespace__account").order_by("namespace__name", "name")
    return PurgeScope([
        ImageContents(each, tag["n"] - tag["tools"], tag["tools"], revision["n"], revision["last"])
        for each in rows
        if each.pk in tags or each.pk in revisions
        for tag, revision in [(tags.get(each.pk, nothing), revisions.get(each.pk, nothing))]
    ])  # fmt: skip


def preview(account: Account, scope: QuerySet[Image], now: datetime) -> PurgePreview:
    """`scope`: images of the account."""
    now_there = scope_of(scope)
    pulls = PullStats.objects.filter(image__in=scope.values("pk"))
    public = any(each.image.namespace.public for each in now_there.lines)
    pullers = graph.pullers_of(pulls, account, now, public=public)
    return PurgePreview(
        now_there.lines,
        _freed(account, scope, now_there),
        pullers[: graph.PULLERS_SHOWN],
        len(pullers) > graph.PULLERS_SHOWN,
        _sharers(account, scope),
        _unread(scope),
        _troubled(scope),
        _held(scope).filter(Q(body_zlib=b"") | Q(media_type=SIGNED_SCHEMA_1)).count(),
        pull_through_cache.refusal(),
    )


def _held(scope: QuerySet[Image]) -> QuerySet[Manifest]:
    held = RepositoryManifest.objects.filter(image__in=scope.values("pk"), gone_at=None)
    return Manifest.objects.filter(digest__in=held.values("manifest"))


def _elsewhere(account: Account, scope: QuerySet[Image]) -> QuerySet[RepositoryManifest]:
    others = RepositoryManifest.objects.filter(gone_at=None, image__namespace__account=account)
    return others.exclude(image__in=scope.values("pk"))


def _freed(account: Account, scope: QuerySet[Image], there: PurgeScope) -> int:
    """As `graph.freed_bytes`, of everything at once."""
    if there.manifests > EXACT:
        return sum(each.image.stored_bytes for each in there.lines)
    blobs = Descriptor.objects.filter(manifest__in=_held(scope).values("digest"), kind__in=BLOBS).order_by()
    needed = _elsewhere(account, scope).filter(manifest__descriptors__digest=OuterRef("digest"))
    own = blobs.values("digest").annotate(blob_bytes=Max("size")).filter(~Exists(needed))
    return own.aggregate(all=Sum("blob_bytes"))["all"] or 0


def _sharers(account: Account, scope: QuerySet[Image]) -> list[str]:
    blobs = Descriptor.objects.filter(
        manifest__in=_held(scope).values("digest"), kind=Descriptor.Kind.LAYER
    ).order_by()
    largest = (
        blobs.values("digest").annotate(blob_bytes=Max("size")).order_by("-blob_bytes", "digest")[:LARGEST]
    )
    digests = [row["digest"] for row in largest]
    found = _elsewhere(account, scope).filter(manifest__descriptors__digest__in=digests)
    names = found.order_by().values_list("image__namespace__name", "image__name").distinct()[: SHOWN + 1]
    return sorted(f"{first}/{rest}" for first, rest in names)


def _troubled(scope: QuerySet[Image]) -> list[Repository]:
    certain = Q(problem="", tags_needing_approval=0, missing_since=None)
    return list(Repository.objects.filter(~certain, image__in=scope.values("pk")).order_by("name")[:SHOWN])


def _unread(scope: QuerySet[Image]) -> list[tuple[Image, UnreadableManifest]]:
    odd = Q(repository_manifests__manifest__kind="unknown", repository_manifests__gone_at=None) | Q(
        tags__manifest__kind="unknown"
    )
    some = scope.filter(odd).select_related("namespace__account").distinct()[:SHOWN]
    return [(image, each) for image in some for each in unreadable.find(image)]
