"""Manifests that cannot be read: they may need anything, so nothing else of their image is deleted meanwhile."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.common.batches import batches
from accounts.common.lazy_text import lazy as _
from accounts.common.prepared_queries import prepared
from namespaces.models import Image, Manifest, Tag
from registry_sync.inventory.parser import SCHEMA_1


@dataclass(frozen=True)
class UnreadableManifest:
    digest: str
    tags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        if not self.tags:
            return _("%(digest)s, which has no tag", digest=self.digest)
        short = self.digest.rpartition(":")[2][:12]
        return _("%(digest)s, tagged %(tags)s", digest=short, tags=", ".join(self.tags[:5]))


def find(image: Image, *, also_present: Collection[str] = ()) -> list[UnreadableManifest]:
    """`also_present`: digests just seen in the registry, perhaps not in the inventory yet."""
    found = set(_unknown_in(image=image.pk))
    for some in batches(sorted(also_present)):
        found |= set(_unknown().filter(digest__in=some).values_list("digest", flat=True))
    tags: dict[str, list[str]] = {digest: [] for digest in sorted(found)}
    for some in batches(sorted(found)):
        named = Tag.objects.filter(image=image, manifest__in=some).order_by("name")
        for digest, name in named.values_list("manifest_id", "name"):
            tags[digest].append(name)
    return [UnreadableManifest(digest, tuple(names)) for digest, names in tags.items()]


def _unknown() -> QuerySet[Manifest]:
    # Docker schema 1 lists no manifests and is about none, so it is no danger.
    return Manifest.objects.filter(kind="unknown").exclude(media_type__startswith=SCHEMA_1)


@prepared
def _unknown_in(*, image: int) -> QuerySet[Manifest, str]:
    here = Q(repository_manifests__image=image, repository_manifests__gone_at=None) | Q(tags__image=image)
    return _unknown().filter(here).values_list("digest", flat=True)


def why_blocked(found: Iterable[UnreadableManifest]) -> str:
    """Return why nothing else can be deleted; "" where all can be read."""
    first = next(iter(found), None)
    if first is None:
        return ""
    return _(
        "%(what)s, cannot be read, so nobody knows what it needs. While it is there nothing else of this image is "
        "deleted; delete it first.",
        what=first.text,
    )
