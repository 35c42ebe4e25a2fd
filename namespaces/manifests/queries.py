"""Manifests as an image holds them: reached through its own rows, never by digest alone.

Anybody may write any digest into a manifest; only that the registry holds it in this image makes it readable here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from namespaces.manifests import details
from namespaces.manifests.links import Link, links
from namespaces.manifests.platforms import choose, platforms_of
from namespaces.media_types import Group, Nature, bundled, nature
from namespaces.models import Descriptor, Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from namespaces.names import technical_subject

TAGS_SHOWN = 20
UNTAGGED_SHOWN = 50


@dataclass(frozen=True)
class Subject:
    """What a signature, an SBOM or a list of referrers is about; `manifest` is None when this image lacks it."""

    digest: str
    manifest: Manifest | None
    tags: list[Tag] = field(default_factory=list)


def manifests(image: Image) -> QuerySet[Manifest]:
    """Those of an image, without their bytes."""
    here = Exists(RepositoryManifest.objects.filter(image=image, manifest=OuterRef("pk")))
    tagged = Exists(Tag.objects.filter(image=image, manifest=OuterRef("pk")))
    return Manifest.objects.filter(here | tagged).defer("body_zlib")


def held(image: Image, digests: Iterable[str]) -> dict[str, Manifest]:
    """Of these digests those that the image holds."""
    return {each.digest: each for each in manifests(image).filter(digest__in=list(digests))}


def newest_of(image: Image) -> Manifest | None:
    """Return what the newest tag points at, without its bytes."""
    if not image.latest_tag:
        return None
    newest = Tag.objects.filter(image=image, name=image.latest_tag).select_related("manifest")
    tag = newest.defer("manifest__body_zlib").first()
    return tag.manifest if tag else None


def children(image: Image, manifest: Manifest) -> list[Manifest]:
    """Return the manifests of an index's platforms that we have read; a plain image has none."""
    wanted = [entry["digest"] for entry in manifest.platforms if entry["digest"] != manifest.digest]
    found = held(image, wanted)
    return [found[digest] for digest in wanted if digest in found]


def untagged(image: Image) -> list[Manifest]:
    """Of an image that never had a tag, what was pushed by digest alone; nothing that an index of it lists.

    One more than is shown, when there are more.
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


def tags_at(image: Image, digest: str) -> list[Tag]:
    """Tags that people gave, not those that tools made."""
    found = Tag.objects.select_related("image__namespace__account").filter(
        image=image, manifest=digest, technical=False
    )
    return list(found.order_by("sort_key", "id")[:TAGS_SHOWN])


def chosen_child(image: Image, manifest: Manifest) -> Manifest:
    """Of an index the platform that is looked at when none is asked for; a plain image itself."""
    chosen = choose(platforms_of(manifest.platforms), "") if manifest.kind == "index" else None
    return held(image, [chosen.digest]).get(chosen.digest, manifest) if chosen else manifest


def links_of(manifest: Manifest, shown: Manifest | None) -> list[Link]:
    """Return its links; an index speaks for all its platforms, hence first."""
    whole, read = details.read(manifest.details), details.read(shown.details if shown else {})
    return links(dict(whole.annotations), dict(read.annotations), dict(read.labels))


def nature_of(manifest: Manifest, tag: str = "") -> Nature:
    read = details.read(manifest.details)
    return nature(
        kind=manifest.kind,
        artifact_type=manifest.artifact_type or manifest.media_type,
        config_type=read.config_type,
        layer_types=[layer.media_type for layer in read.layers],
        predicates=[layer.predicate for layer in read.layers],
        bundle=bundled(dict(read.annotations)),
        platforms=[each["platform"] for each in manifest.platforms],
        tag=tag,
    )


def subject_of(image: Image, manifest: Manifest, tag: str = "") -> Subject | None:
    """By what it says itself, else by the name of its tag, else by the index that buildx hung it into."""
    digest = manifest.subject or technical_subject(tag)
    if not digest and nature_of(manifest).group == Group.ABOUT:
        digest = _attested(image, manifest) or _by_any_tag(image, manifest)
    if not digest:
        return None
    return Subject(digest, held(image, [digest]).get(digest), tags_at(image, digest))


def listed_in(image: Image, digest: str) -> list[Manifest]:
    """Return the indexes of the image that name this digest."""
    found = (
        manifests(image)
        .filter(Q(descriptors__digest=digest, descriptors__kind="manifest"))
        .order_by("-fetched_at")
    )
    return list(found[:TAGS_SHOWN])


def move_to(tag: Tag) -> TagHistoryEntry | None:
    """How the tag came to point where it points; None for its first push, and when nobody knows."""
    last = TagHistoryEntry.objects.filter(image_id=tag.image_id, tag=tag.name).order_by("-at", "-id").first()
    return last if last and last.old and last.new == tag.manifest_id else None


def _attested(image: Image, manifest: Manifest) -> str:
    entries = (
        entry
        for index in listed_in(image, manifest.digest)
        for entry in index.details.get("attestations", [])
    )
    return next((entry["subject"] for entry in entries if entry["digest"] == manifest.digest), "")


def _by_any_tag(image: Image, manifest: Manifest) -> str:
    named = Tag.objects.filter(image=image, manifest=manifest, technical=True).order_by("name")
    return next((technical_subject(name) for name in named.values_list("name", flat=True)[:1]), "")
