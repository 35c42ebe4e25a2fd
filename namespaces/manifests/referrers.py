"""The referrers of a manifest: signatures, SBOMs, attestations and other artifacts.

Tools attach them as

- a tag `sha256-<hex>` whose index lists them, where a registry has no referrers API (none of ours has);
- a tag `sha256-<hex>.<anything>`, as cosign's `.sig`, `.att`, `.sbom`;
- a manifest of this image that names it as its subject;
- buildx's entries in an index.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from accounts.common.prepared_queries import prepared
from namespaces.manifests.queries import about, artifact_kind_of, held_manifests
from namespaces.media_types import ArtifactKind, artifact_kind
from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from namespaces.names import stem_of

SHOWN_MAX = 200


@dataclass(frozen=True)
class Referrer:
    """`manifest` is None if the image does not hold it: it is listed, but missing."""

    digest: str
    artifact_kind: ArtifactKind
    subject: str
    platform: str  # the subject's platform; "" when it is the whole
    artifact_type: str = ""  # as it says itself, or as a list says of it
    manifest: Manifest | None = None
    tag: str = ""  # the technical tag that points right at it


@dataclass(frozen=True)
class _Claim:
    digest: str
    subject: str
    artifact_type: str = ""
    states: str = ""  # of a bundle: what `bundle_predicate` returned
    tag: str = ""


def referrers_of(image: Image, manifest: Manifest) -> list[Referrer]:
    """Return the referrers of the manifest, and of the platforms of an index, each once."""
    subjects = {each["digest"]: each["platform"] for each in manifest.platforms} | {manifest.digest: ""}
    claims = [*_by_tag(image, subjects), *_by_subject(image, subjects), *_by_buildx(manifest, subjects)]
    return _resolve(image, claims, subjects)


def referrers_listed_by(image: Image, index: Manifest, subject: str) -> list[Referrer]:
    """Return what the list of referrers `index` lists about `subject`."""
    return _resolve(image, list(_entries(index, subject)), {subject: ""})


def _by_tag(image: Image, subjects: dict[str, str]) -> Iterator[_Claim]:
    stems = {stem_of(digest): digest for digest in subjects}
    for tag in _tags_by_stem(image=image.pk, stems=list(stems)):
        subject = stems[tag.stem]
        if tag.manifest.kind == "index":
            yield from _entries(tag.manifest, subject)
        else:
            yield _Claim(tag.manifest_id, subject, tag=tag.name)


@prepared
def _tags_by_stem(*, image: int, stems: list[str]) -> QuerySet[Tag]:
    tags = Tag.objects.filter(image=image, technical=True, stem__in=stems)
    return tags.select_related("manifest").defer("manifest__body_zlib").order_by("name")[:SHOWN_MAX]


def _entries(index: Manifest, subject: str) -> Iterator[_Claim]:
    for entry in [*index.platforms, *index.details.get("attestations", [])]:
        yield _Claim(entry["digest"], subject, entry.get("artifact_type", ""), entry.get("states", ""))


def _by_subject(image: Image, subjects: dict[str, str]) -> Iterator[_Claim]:
    for digest, subject in _digests_about(image=image.pk, subjects=list(subjects)):
        yield _Claim(digest, subject)


@prepared
def _digests_about(*, image: int, subjects: list[str]) -> QuerySet[Manifest, tuple[str, str]]:
    there = Exists(RepositoryManifest.objects.filter(image=image, manifest=OuterRef("pk"), gone_at=None))
    found = Manifest.objects.filter(there, about(subjects)).order_by("-created_at", "digest")
    return found.values_list("digest", "subject")[:SHOWN_MAX]


def _by_buildx(manifest: Manifest, subjects: dict[str, str]) -> Iterator[_Claim]:
    for entry in manifest.details.get("attestations", []):
        about = entry["subject"] if entry["subject"] in subjects else manifest.digest
        yield _Claim(entry["digest"], about)


def _resolve(image: Image, claims: list[_Claim], subjects: dict[str, str]) -> list[Referrer]:
    """Return the referrers, sorted. Of several claims on a digest the first wins: those with a tag come first."""
    once = {
        (claim.digest, claim.subject): claim for claim in reversed(claims) if claim.digest != claim.subject
    }
    some = list(reversed(once.values()))[:SHOWN_MAX]
    found = held_manifests(image, {claim.digest for claim in some})
    rows = [
        Referrer(
            digest=claim.digest,
            artifact_kind=_artifact_kind(claim, found.get(claim.digest)),
            subject=claim.subject,
            platform=subjects[claim.subject],
            artifact_type=_artifact_type(claim, found.get(claim.digest)),
            manifest=found.get(claim.digest),
            tag=claim.tag,
        )
        for claim in some
    ]
    return sorted(rows, key=lambda row: (row.platform, row.artifact_kind.label))


def _artifact_type(claim: _Claim, manifest: Manifest | None) -> str:
    return (manifest.artifact_type if manifest else "") or claim.artifact_type


def _artifact_kind(claim: _Claim, manifest: Manifest | None) -> ArtifactKind:
    if manifest:
        return artifact_kind_of(manifest, claim.tag)
    return artifact_kind(kind="artifact", artifact_type=claim.artifact_type, bundle=claim.states)
