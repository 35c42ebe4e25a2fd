"""The two sides of a comparison, found through what the asking person may see."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.common.errors import Invalid
from accounts.principal import Principal
from namespaces import permissions
from namespaces.manifests import details, queries, references
from namespaces.manifests.diff import Comparison, Side, compare
from namespaces.manifests.platforms import Platform, choose, platforms_of
from namespaces.media_types import Nature
from namespaces.models import Image, Manifest


@dataclass(frozen=True)
class Looked:
    """What one of the two texts points at."""

    image: Image
    manifest: Manifest
    tag: str  # "" when it is pointed at by its digest

    @property
    def nature(self) -> Nature:
        return queries.nature_of(self.manifest, self.tag)

    @property
    def url(self) -> str:
        address = self.image.get_absolute_url()
        return f"{address}-/tags/{self.tag}/" if self.tag else f"{address}-/manifests/{self.manifest.digest}/"


@dataclass(frozen=True)
class Compared:
    left: Looked
    right: Looked
    platforms: tuple[str, ...]  # to choose from; empty when neither is an index
    platform: str
    lacking: tuple[str, ...]  # "left", "right": has no such platform, or it was never read
    found: Comparison


def look(by: Principal, image: Image, text: str, *, host: str) -> Looked:
    """Look up what `text` points at. Raise Invalid or NotFound.

    `text` as in namespaces.manifests.references, without a repository in `image`.
    """
    pointer = references.parse(text, host=host)
    if not pointer:
        raise Invalid.on("text", _("Write a tag, a digest, or NAMESPACE/IMAGE:TAG."))
    where = permissions.image_of_repository(by, pointer.repository) if pointer.repository else image
    at = (by, where.namespace.account.handle, where.namespace.name, where.name)
    if pointer.tag:
        found = permissions.tag(*at, pointer.tag)
        return Looked(where, found.manifest, found.name)
    return Looked(where, permissions.manifest(*at, pointer.digest)[1], "")


def compared(left: Looked, right: Looked, *, platform: str = "") -> Compared:
    """Of two indexes one platform is compared: the wanted one, else one that both have."""
    both = [_platforms(each.manifest) for each in (left, right)]
    words = [[each.words for each in platforms] for platforms in both]
    offered = tuple(dict.fromkeys(word for platforms in words for word in platforms if word))
    common = [each for each in both[0] if each.words in words[1]] if all(both) else [*both[0], *both[1]]
    # The wanted one also when only one side has it: then that is what differs.
    found = choose(common or both[0], _own_platform(left, right))
    chosen = platform if platform in offered else found.words if found else ""
    sides = [_side(each, platforms, chosen) for each, platforms in zip((left, right), both, strict=True)]
    return Compared(
        left=left,
        right=right,
        platforms=offered,
        platform=chosen if offered else "",
        lacking=tuple(name for name, side in zip(("left", "right"), sides, strict=True) if not side),
        found=compare(*(side or _empty(each) for side, each in zip(sides, (left, right), strict=True))),
    )


def _own_platform(*sides: Looked) -> str:
    """Of a plain image, to be compared with the same one of an index."""
    plain = (each.manifest for each in sides if each.manifest.kind != "index" and each.manifest.platforms)
    return next((each.platforms[0]["platform"] for each in plain), "")


def _platforms(manifest: Manifest) -> list[Platform]:
    return platforms_of(manifest.platforms) if manifest.kind == "index" else []


def _side(looked: Looked, platforms: list[Platform], chosen: str) -> Side | None:
    manifest: Manifest | None = looked.manifest
    if platforms:
        digest = next((each.digest for each in platforms if each.words == chosen), "")
        manifest = queries.held(looked.image, [digest]).get(digest)
    if not manifest:
        return None
    return Side(
        digest=looked.manifest.digest,
        size=looked.manifest.size,
        platforms=_words(looked.manifest),
        contents=details.read(manifest.details),
    )


def _empty(looked: Looked) -> Side:
    return Side(looked.manifest.digest, looked.manifest.size, _words(looked.manifest))


def _words(manifest: Manifest) -> tuple[str, ...]:
    return tuple(each["platform"] or "?" for each in manifest.platforms)
