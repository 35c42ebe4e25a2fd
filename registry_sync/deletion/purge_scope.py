"""What a purge would delete: one image, several, or a namespace, with all in them. Counted, not listed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from accounts.common.translation import translate
from accounts.models import Account
from namespaces.models import Descriptor, Image, Manifest, Namespace, PullStats, RepositoryManifest, Tag
from registry_sync.client.responses import SIGNED_SCHEMA_1
from registry_sync.deletion import freed_space, graph, pull_through_cache, unreadable
from registry_sync.deletion.fingerprint import fingerprint
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.deletion.unreadable import UnreadableManifest
from registry_sync.models import Repository

SHOWN = 10  # images
EXACT_MAX = 20_000  # manifests; of more the stored size is shown, which counts shared layers too
LAYERS_COMPARED = 500  # the largest ones, to find repositories that share them
_UNRESTORABLE = Q(body_zlib=b"") | Q(media_type=SIGNED_SCHEMA_1)


@dataclass(frozen=True, slots=True)
class ImageContents:
    """How much an image holds. `last_revision`: the key of its newest RepositoryManifest."""

    image: Image
    tags: int
    technical_tags: int
    manifests: int
    last_revision: int


@dataclass(frozen=True)
class PurgeScope:
    """How much there is, and up to which row. Every push, move and deletion changes `preview_digest`."""

    images: list[ImageContents]

    @property
    def tags(self) -> int:
        return sum(each.tags for each in self.images)

    @property
    def technical_tags(self) -> int:
        return sum(each.technical_tags for each in self.images)

    @property
    def manifests(self) -> int:
        return sum(each.manifests for each in self.images)

    @property
    def cutoffs(self) -> dict[str, list[int]]:
        return {
            str(each.image.pk): [each.image.newest_history_id, each.last_revision] for each in self.images
        }

    @property
    def preview_digest(self) -> str:
        contents = [
            [*cutoff, each.tags, each.manifests]
            for cutoff, each in zip(self.cutoffs.items(), self.images, strict=True)
        ]
        return fingerprint(contents)


@dataclass(frozen=True)
class PurgePreview(PurgeScope):
    """What a purge would do, shown before it is confirmed."""

    space: FreedSpace = field(default_factory=FreedSpace)
    pullers: list[graph.RecentPuller] = field(default_factory=list)
    has_more_pullers: bool = False
    # Repositories of the account that keep some of the layers.
    repositories_sharing_layers: list[str] = field(default_factory=list)
    # Deleted first; nothing else of their image is deleted before.
    unreadable_manifests: list[tuple[Image, UnreadableManifest]] = field(default_factory=list)
    # Of which the inventory may be incomplete.
    unreadable_repositories: list[Repository] = field(default_factory=list)
    unrestorable_manifests: int = 0
    blocked_reason: str = ""  # why it cannot be done; "" when it can

    @property
    def shown(self) -> list[ImageContents]:
        """The ten images with the most tags."""
        return sorted(self.images, key=lambda each: (-each.tags, each.image.name))[:SHOWN]


def images_of(namespace: Namespace, image: Image | None) -> QuerySet[Image]:
    """Return the image, or all images of the namespace, as far as the registry was ever seen to hold them."""
    found = Image.objects.filter(namespace=namespace).exclude(repository_row=None)
    return found.filter(pk=image.pk) if image else found


def scope_of(images: QuerySet[Image]) -> PurgeScope:
    tagged = Tag.objects.filter(image__in=images.values("pk")).order_by().values("image")
    tags = {
        row["image"]: row
        for row in tagged.annotate(n=Count("pk"), technical=Count("pk", filter=Q(technical=True)))
    }
    held = (
        RepositoryManifest.objects.filter(image__in=images.values("pk"), gone_at=None)
        .order_by()
        .values("image")
    )
    revisions = {row["image"]: row for row in held.annotate(n=Count("pk"), last=Max("pk"))}
    nothing = {"n": 0, "technical": 0, "last": 0}
    rows = images.select_related("namespace__account").order_by("namespace__name", "name")
    return PurgeScope(
        [
            ImageContents(
                each, tag["n"] - tag["technical"], tag["technical"], revision["n"], revision["last"]
            )
            for each in rows
            if each.pk in tags or each.pk in revisions
            for tag, revision in [(tags.get(each.pk, nothing), revisions.get(each.pk, nothing))]
        ]
    )


def preview(
    account: Account, images: QuerySet[Image], now: datetime, *, exact_max: int = EXACT_MAX
) -> PurgePreview:
    """Return what deleting these images of the account would do; exactly for so many manifests."""
    scope = scope_of(images)
    # By key: a subquery of joined tables can be run again for each row of each table around it.
    keys = [each.image.pk for each in scope.images]
    pulls = PullStats.objects.filter(image__in=images.values("pk"))
    public = any(each.image.namespace.public for each in scope.images)
    recent_pulls = list(graph.recent_pulls(pulls, now - graph.PULLED_WITHIN))
    pullers = graph.pullers_of(recent_pulls, account, public=public)
    return PurgePreview(
        scope.images,
        _freed_space(account, keys, scope, exact_max),
        pullers[: graph.PULLERS_SHOWN],
        len(pullers) > graph.PULLERS_SHOWN,
        _repositories_sharing_layers(account, keys),
        _unreadable_manifests(Image.objects.filter(pk__in=keys)),
        _unreadable_repositories(images),
        Manifest.objects.filter(digest__in=_held(keys)).filter(_UNRESTORABLE).count(),
        translate(pull_through_cache.refusal()),
    )


def _held(images: list[int]) -> QuerySet[RepositoryManifest, Any]:
    return RepositoryManifest.objects.filter(image__in=images, gone_at=None).values("manifest")


def _freed_space(account: Account, images: list[int], scope: PurgeScope, exact_max: int) -> FreedSpace:
    if scope.manifests > exact_max:
        return FreedSpace(sum(each.image.stored_bytes for each in scope.images), freed_exactly=False)
    return freed_space.of_images(account, images)


def _repositories_sharing_layers(account: Account, images: list[int]) -> list[str]:
    blobs = Descriptor.objects.filter(manifest__in=_held(images), kind=Descriptor.Kind.LAYER).order_by()
    largest = (
        blobs.values("digest")
        .annotate(blob_bytes=Max("size"))
        .order_by("-blob_bytes", "digest")[:LAYERS_COMPARED]
    )
    digests = [row["digest"] for row in largest]
    others = RepositoryManifest.objects.filter(gone_at=None, image__namespace__account=account)
    found = others.exclude(image__in=images).filter(manifest__descriptors__digest__in=digests)
    names = found.order_by().values_list("image__namespace__name", "image__name").distinct()[: SHOWN + 1]
    return sorted(f"{namespace}/{image}" for namespace, image in names)


def _unreadable_repositories(images: QuerySet[Image]) -> list[Repository]:
    certain = Q(problem="", tags_needing_approval=0, missing_since=None)
    return list(Repository.objects.filter(~certain, image__in=images.values("pk")).order_by("name")[:SHOWN])


def _unreadable_manifests(images: QuerySet[Image]) -> list[tuple[Image, UnreadableManifest]]:
    affected = Q(repository_manifests__manifest__kind="unknown", repository_manifests__gone_at=None) | Q(
        tags__manifest__kind="unknown"
    )
    some = images.filter(affected).select_related("namespace__account").distinct()[:SHOWN]
    return [(image, each) for image in some for each in unreadable.find(image)]
