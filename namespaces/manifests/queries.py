"""Queries for an image's manifests. They go through the image's own rows, never by digest alone.

Anybody may write any digest into a manifest, so a manifest is readable only where the registry holds it in this image.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When

from accounts.common.prepared_queries import prepared
from namespaces.manifests import details
from namespaces.manifests.links import Link, links
from namespaces.manifests.platforms import choose_platform, parse_platforms
from namespaces.manifests.pull_stats import pusher_description
from namespaces.media_types import ArtifactKind, Group, artifact_kind, bundle_predicate
from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from namespaces.names import technical_subject

FEW_SUBJECTS = 50
TAGS_SHOWN = 20
UNTAGGED_SHOWN = 50


@dataclass(frozen=True)
class Subject:
    """What a signature, SBOM or list of referrers is about. `manifest` is None if the image does not hold it."""

    digest: str
    manifest: Manifest | None
    tags: list[Tag] = field(default_factory=list)


def manifests(image: Image) -> QuerySet[Manifest]:
    """Return the manifests that the image holds, with `body_zlib` deferred."""
    return _manifests(image.pk)


def _manifests(image: int) -> QuerySet[Manifest]:
    here = Exists(RepositoryManifest.objects.filter(image=image, manifest=OuterRef("pk")))
    tagged = Exists(Tag.objects.filter(image=image, manifest=OuterRef("pk")))
    return Manifest.objects.filter(here | tagged).defer("body_zlib")


@prepared
def _held(*, image: int, digests: list[str]) -> QuerySet[Manifest]:
    return _manifests(image).filter(digest__in=digests)


def held_manifests(image: Image, digests: Iterable[str]) -> dict[str, Manifest]:
    """Return digest → manifest for those of `digests` that the image holds."""
    return {each.digest: each for each in _held(image=image.pk, digests=list(digests))}


def about(digests: Collection[str]) -> Q:
    """Return what is true of manifests whose subject is one of `digests`.

    Nearly all manifests have no subject. SQLite therefore takes all to have the same one, and would read them all
    instead of the index; it does not with a range.
    """
    if len(digests) > FEW_SUBJECTS:
        return Q(subject__in=digests)
    return reduce(or_, (Q(subject__range=(each, each)) for each in digests), Q(pk__in=[]))


def newest_manifest(image: Image) -> Manifest | None:
    """Return the manifest of the newest tag, with `body_zlib` deferred; None without tags."""
    if not image.latest_tag:
        return None
    found = _tagged_manifest(image=image.pk, tag=image.latest_tag)
    return found[0] if found else None


@prepared
def _tagged_manifest(*, image: int, tag: str) -> QuerySet[Manifest]:
    return Manifest.objects.filter(tags__image=image, tags__name=tag).defer("body_zlib")


def image_before(image: Image, tag: str) -> str:
    """Return what to compare `tag` with: the digest that it pointed at before, if the image still holds it.

    Else the tag of another manifest that was pushed last before it; "" if there is none.
    """
    found = tags_with_origin().filter(image=image, name=tag).first()
    if not found:
        return ""
    held = RepositoryManifest.objects.filter(image=image, manifest=found.moved_from or "", gone_at=None)
    if held.exists():
        return found.moved_from or ""
    earlier = Tag.objects.filter(image=image, technical=False, pushed_at__lte=found.pushed_at)
    earlier = earlier.exclude(manifest=found.manifest_id).order_by(*Tag.NEWEST_FIRST)
    return earlier.values_list("name", flat=True).first() or ""


def in_order_of_push(image: Image, tags: Collection[str]) -> list[str]:
    """Return those of `tags` that the image has, the last pushed last."""
    found = Tag.objects.filter(image=image, name__in=list(tags)[:TAGS_SHOWN])
    return list(found.order_by("pushed_at", "id").values_list("name", flat=True))


def platform_manifests(image: Image, manifest: Manifest) -> list[Manifest]:
    """Return the stored manifests of an index's platforms, in its order; none for a plain image."""
    wanted = [entry["digest"] for entry in manifest.platforms if entry["digest"] != manifest.digest]
    found = held_manifests(image, wanted)
    return [found[digest] for digest in wanted if digest in found]


def untagged_manifests(image: Image) -> list[Manifest]:
    """Return what was pushed by digest alone to an image that never had a tag, without what an index lists.

    At most UNTAGGED_SHOWN + 1, so that the caller can tell that there are more.
    """
    if not image.untagged_count:
        return []
    here = RepositoryManifest.objects.filter(image=image, gone_at=None)
    indexes = Exists(here.filter(manifest=OuterRef("manifest")))
    listed = Exists(Descriptor.objects.filter(indexes, kind=Descriptor.Kind.MANIFEST, digest=OuterRef("pk")))
    rows = Manifest.objects.filter(
        ~listed, repository_manifests__image=image, repository_manifests__gone_at=None
    )
    rows = rows.annotate(seen_at=F("repository_manifests__first_seen_at")).defer("body_zlib", "details")
    return list(rows.order_by("-seen_at", "digest")[: UNTAGGED_SHOWN + 1])


def tags_of_digest(image: Image, digest: str) -> list[Tag]:
    """Return at most TAGS_SHOWN tags that point at the digest, without technical ones."""
    found = Tag.objects.select_related("image__namespace__account").filter(
        image=image, manifest=digest, technical=False
    )
    return list(found.order_by("sort_key", "id")[:TAGS_SHOWN])


def tags_of_same_manifest(tag: Tag) -> list[str]:
    """Return the names of at most TAGS_SHOWN other tags of the image that point at the same, no technical ones."""
    return _names_of_same_manifest(image=tag.image_id, manifest=tag.manifest_id, but=tag.pk)


@prepared
def _names_of_same_manifest(*, image: int, manifest: str, but: int) -> QuerySet[Tag, str]:
    found = Tag.objects.filter(image=image, manifest=manifest, technical=False).exclude(pk=but)
    return found.order_by("name").values_list("name", flat=True)[:TAGS_SHOWN]


def default_platform_manifest(image: Image, manifest: Manifest) -> Manifest:
    """Return the manifest of an index's default platform; a plain image itself."""
    chosen = choose_platform(parse_platforms(manifest.platforms), "") if manifest.kind == "index" else None
    return held_manifests(image, [chosen.digest]).get(chosen.digest, manifest) if chosen else manifest


def links_of(manifest: Manifest, shown: Manifest | None) -> list[Link]:
    """Return the links of a manifest. The annotations of an index come before those of the `shown` platform."""
    whole, read = (
        details.parse_details(manifest.details),
        details.parse_details(shown.details if shown else {}),
    )
    return links(dict(whole.annotations), dict(read.annotations), dict(read.labels))


def artifact_kind_of(manifest: Manifest, tag: str = "") -> ArtifactKind:
    read = details.parse_details(manifest.details)
    return artifact_kind(
        kind=manifest.kind,
        artifact_type=manifest.artifact_type or manifest.media_type,
        config_type=read.config_type,
        layer_types=[layer.media_type for layer in read.layers],
        predicates=[layer.predicate for layer in read.layers],
        bundle=bundle_predicate(dict(read.annotations)),
        platforms=[each["platform"] for each in manifest.platforms],
        tag=tag,
    )


def subject_of(image: Image, manifest: Manifest, tag: str = "") -> Subject | None:
    """Return the subject by the manifest's own field, else by its tag's name, else by buildx's entry in an index."""
    digest = manifest.subject or technical_subject(tag)
    if not digest and artifact_kind_of(manifest).group == Group.ABOUT:
        digest = _attested(image, manifest) or _by_any_tag(image, manifest)
    if not digest:
        return None
    return Subject(digest, held_manifests(image, [digest]).get(digest), tags_of_digest(image, digest))


def indexes_listing(image: Image, digest: str) -> list[Manifest]:
    """Return the indexes of the image that list this digest, the newest first."""
    found = (
        manifests(image)
        .filter(Q(descriptors__digest=digest, descriptors__kind="manifest"))
        .order_by("-fetched_at")
    )
    return list(found[:TAGS_SHOWN])


def tags_with_origin() -> QuerySet[Tag]:
    """Return tags with `.pusher` and `.moved_from`: "" or None after a first push, or if unknown."""
    here = Case(When(new=OuterRef("manifest"), then=F("old")), default=Value(""))
    entries = TagHistoryEntry.objects.filter(image=OuterRef("image"), tag=OuterRef("name"))
    newest = entries.order_by("-at", "-id").values(before=here)
    return Tag.objects.annotate(  # type: ignore[no-redef]
        pusher=pusher_description(),
        moved_from=Subquery(newest[:1]),
    )


def _attested(image: Image, manifest: Manifest) -> str:
    entries = (
        entry
        for index in indexes_listing(image, manifest.digest)
        for entry in index.details.get("attestations", [])
    )
    return next((entry["subject"] for entry in entries if entry["digest"] == manifest.digest), "")


def _by_any_tag(image: Image, manifest: Manifest) -> str:
    named = Tag.objects.filter(image=image, manifest=manifest, technical=True).order_by("name")
    return next((technical_subject(name) for name in named.values_list("name", flat=True)[:1]), "")
