"""What is hung onto a manifest: signatures, SBOMs, attestations and other artifacts, found in the ways that tools use.

- a tag `sha256-<hex>` whose index lists them, where a registry has no referrers API (none of ours has);
- a tag `sha256-<hex>.<anything>`, as cosign's `.sig`, `.att`, `.sbom`;
- a manifest of this image that names it as its subject;
- buildx's entries in an index.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from namespaces.manifests.queries import held, nature_of
from namespaces.media_types import Nature, nature
from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from namespaces.names import stem_of

SHOWN_MAX = 200


@dataclass(frozen=True)
class Attached:
    """`manifest` is None for what is only claimed: this image does not hold it."""

    digest: str
    nature: Nature
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
    states: str = ""  # as `bundled` tells of a bundle
    tag: str = ""


def attached_to(image: Image, manifest: Manifest) -> list[Attached]:
    """To the manifest itself, and to the platforms of an index; each once."""
    subjects = {each["digest"]: each["platform"] for each in manifest.platforms} | {manifest.digest: ""}
    claims = [*_by_tag(image, subjects), *_by_subject(image, subjects), *_by_buildx(manifest, subjects)]
    return _shown(image, claims, subjects)


def listed_by(image: Image, index: Manifest, subject: str) -> list[Attached]:
    """Return what a list of referrers lists."""
    return _shown(image, list(_entries(index, subject)), {subject: ""})


def _by_tag(image: Image, subjects: dict[str, str]) -> Iterator[_Claim]:
    stems = {stem_of(digest): digest for digest in subjects}
    tags = Tag.objects.filter(image=image, technical=True, stem__in=list(stems))
    for tag in tags.select_related("manifest").defer("manifest__body_zlib").order_by("name")[:SHOWN_MAX]:
        subject = stems[tag.stem]
        if tag.manifest.kind == "index":
            yield from _entries(tag.manifest, subject)
        else:
            yield _Claim(tag.manifest_id, subject, tag=tag.name)


def _entries(index: Manifest, subject: str) -> Iterator[_Claim]:
    for entry in [*index.platforms, *index.details.get("attestations", [])]:
        yield _Claim(entry["digest"], subject, entry.get("artifact_type", ""), entry.get("states", ""))


def _by_subject(image: Image, subjects: dict[str, str]) -> Iterator[_Claim]:
    there = Exists(RepositoryManifest.objects.filter(image=image, manifest=OuterRef("pk"), gone_at=None))
    found = Manifest.objects.filter(there, subject__in=list(subjects))
    for digest, subject in found.order_by("-created_at", "digest").values_list("digest", "subject")[
        :SHOWN_MAX
    ]:
        yield _Claim(digest, subject)


def _by_buildx(manifest: Manifest, subjects: dict[str, str]) -> Iterator[_Claim]:
    for entry in manifest.details.get("attestations", []):
        about = entry["subject"] if entry["subject"] in subjects else manifest.digest
        yield _Claim(entry["digest"], about)


def _shown(image: Image, claims: list[_Claim], subjects: dict[str, str]) -> list[Attached]:
    """Return what is shown. The first claim on a digest is believed: one that has a tag to look at comes first."""
    once = {
        (claim.digest, claim.subject): claim for claim in reversed(claims) if claim.digest != claim.subject
    }
    some = list(reversed(once.values()))[:SHOWN_MAX]
    found = held(image, {claim.digest for claim in some})
    rows = [
        Attached(
            digest=claim.digest,
            nature=_nature(claim, found.get(claim.digest)),
            subject=claim.subject,
            platform=subjects[claim.subject],
            artifact_type=_type(claim, found.get(claim.digest)),
            manifest=found.get(claim.digest),
            tag=claim.tag,
        )
        for claim in some
    ]
    return sorted(rows, key=lambda row: (row.platform, row.nature.words))


def _type(claim: _Claim, manifest: Manifest | None) -> str:
    return (manifest.artifact_type if manifest else "") or claim.artifact_type


def _nature(claim: _Claim, manifest: Manifest | None) -> Nature:
    if manifest:
        return nature_of(manifest, claim.tag)
    return nature(kind="artifact", artifact_type=claim.artifact_type, bundle=claim.states)
