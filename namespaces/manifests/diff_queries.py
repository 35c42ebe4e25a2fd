"""Finds the two images of a comparison through what the person may see, and compares them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.common.errors import Invalid
from accounts.principal import Principal
from namespaces import permissions
from namespaces.manifests import details, queries, references
from namespaces.manifests.diff import DiffSide, ImageDiff, diff_images
from namespaces.manifests.platforms import Platform, choose_platform, parse_platforms
from namespaces.media_types import ArtifactKind
from namespaces.models import Image, Manifest


@dataclass(frozen=True)
class ResolvedReference:
    """What a typed reference points at."""

    image: Image
    manifest: Manifest
    tag: str  # "" when it is pointed at by its digest

    @property
    def artifact_kind(self) -> ArtifactKind:
        return queries.artifact_kind_of(self.manifest, self.tag)

    @property
    def url(self) -> str:
        address = self.image.get_absolute_url()
        return f"{address}-/tags/{self.tag}/" if self.tag else f"{address}-/manifests/{self.manifest.digest}/"


@dataclass(frozen=True)
class Comparison:
    left: ResolvedReference
    right: ResolvedReference
    platforms: tuple[str, ...]  # to choose from; empty when neither is an index
    platform: str
    lacking: tuple[str, ...]  # "left", "right": has no such platform, or it was never read
    diff: ImageDiff


def resolve(by: Principal, image: Image, text: str, *, host: str) -> ResolvedReference:
    """Find what `text` points at. Raise Invalid or NotFound.

    `text` as in namespaces.manifests.references, without a repository in `image`.
    """
    reference = references.parse_manifest_reference(text, host=host)
    if not reference:
        raise Invalid.on("text", _("Enter a tag, a digest, or NAMESPACE/IMAGE:TAG."))
    where = permissions.image_of_repository(by, reference.repository) if reference.repository else image
    at = (by, where.namespace.account.handle, where.namespace.name, where.name)
    if reference.tag:
        found = permissions.tag(*at, reference.tag)
        return ResolvedReference(where, found.manifest, found.name)
    return ResolvedReference(where, permissions.manifest(*at, reference.digest)[1], "")


def compare(left: ResolvedReference, right: ResolvedReference, *, platform: str = "") -> Comparison:
    """Compare two images; of two indexes one platform, `platform` if one side has it, else one that both have."""
    both = [_platforms(each.manifest) for each in (left, right)]
    words = [[each.words for each in platforms] for platforms in both]
    offered = tuple(dict.fromkeys(word for platforms in words for word in platforms if word))
    common = [each for each in both[0] if each.words in words[1]] if all(both) else [*both[0], *both[1]]
    # The wanted one also when only one side has it: then that is what differs.
    found = choose_platform(common or both[0], _own_platform(left, right))
    chosen = platform if platform in offered else found.words if found else ""
    sides = [_side(each, platforms, chosen) for each, platforms in zip((left, right), both, strict=True)]
    return Comparison(
        left=left,
        right=right,
        platforms=offered,
        platform=chosen if offered else "",
        lacking=tuple(name for name, side in zip(("left", "right"), sides, strict=True) if not side),
        diff=diff_images(
            *(side or _empty_side(each) for side, each in zip(sides, (left, right), strict=True))
        ),
    )


def _own_platform(*sides: ResolvedReference) -> str:
    """Return the platform of the side that is no index, "" if there is none."""
    plain = (each.manifest for each in sides if each.manifest.kind != "index" and each.manifest.platforms)
    return next((each.platforms[0]["platform"] for each in plain), "")


def _platforms(manifest: Manifest) -> list[Platform]:
    return parse_platforms(manifest.platforms) if manifest.kind == "index" else []


def _side(looked: ResolvedReference, platforms: list[Platform], chosen: str) -> DiffSide | None:
    manifest: Manifest | None = looked.manifest
    if platforms:
        digest = next((each.digest for each in platforms if each.words == chosen), "")
        manifest = queries.held_manifests(looked.image, [digest]).get(digest)
    if not manifest:
        return None
    return DiffSide(
        digest=looked.manifest.digest,
        size=looked.manifest.size,
        platforms=_platform_names(looked.manifest),
        details=details.parse_details(manifest.details),
    )


def _empty_side(looked: ResolvedReference) -> DiffSide:
    return DiffSide(looked.manifest.digest, looked.manifest.size, _platform_names(looked.manifest))


def _platform_names(manifest: Manifest) -> tuple[str, ...]:
    return tuple(each["platform"] or "?" for each in manifest.platforms)
