"""Looks at one tag or one manifest in the registry, and makes the inventory say the same."""

from collections.abc import Callable, Collection
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.common.lazy_text import lazy as _
from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.client import NotInRegistry, RegistryClient, RegistryError, TemporaryFailure
from registry_sync.inventory import placeholders, stored
from registry_sync.inventory.fetcher import ManifestReader, ManifestRef
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import count_untagged, store_reading, write_tag_changes
from registry_sync.leases import fence


def store_manifest(repository: str, digest: str, registry: RegistryClient) -> None:
    """Read a manifest and what it lists, unless all of it is stored. Raise RegistryError, NotInRegistry."""
    ref = ManifestRef(repository, digest)
    if stored.fully_read([ref]):
        return
    fetched = registry.manifest(repository, digest)
    assert fetched
    with ManifestReader(registry) as reader:
        reading = reader.read_manifests(
            {ref: fetched}, present=stored.present, complete=stored.complete_digests
        )
    if ref not in store_reading(reading, [ref]):
        raise reader.last_failure or TemporaryFailure(_("not all of it came"))


def store_manifests(
    refs: Collection[ManifestRef], registry: RegistryClient, alive: Callable[[], None]
) -> bool:
    """Read manifests that are not stored, several at once. What does not come whole is left out.

    Return False when the registry gave no answer in the end.
    """
    with ManifestReader(registry, alive=alive) as reader:
        reading = reader.read_manifests(
            reader.fetch(refs), present=stored.present, complete=stored.complete_digests
        )
    # Left to be read by itself: the bound on what indexes list is for one reading.
    reading.read -= reading.due & set(refs)
    store_reading(reading, refs)
    return not reader.last_failure


class StaleAnswer(Exception):
    """The registry still answers what the tag pointed at before."""


def refresh_tag(
    image: Image, tag: str, registry: RegistryClient, *, take_away: bool, before: str = ""
) -> bool:
    """Return True when the registry has no such tag. Raise RegistryError when it gives no clear answer.

    `take_away`: it was said before, so this is the second answer, and the tag goes. Else it is marked missing.
    `before`: a digest that is not to be believed yet; raises StaleAnswer.
    """
    row = Tag.objects.filter(image=image, name=tag).first()
    pointed_at = row.manifest_id if row else ""
    try:
        fetched = registry.manifest(image.repository, tag, known=pointed_at)
    except NotInRegistry:
        if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
            return False
        if take_away and row:
            write_tag_changes(image, [TagChange(tag, "", timezone.now())], how=TagHistoryEntry.How.EVENT)
        elif row and not row.missing_since:
            _mark(row, missing_since=timezone.now())
        return True
    if row and row.missing_since:
        _mark(row, missing_since=None)
    if fetched and fetched.digest == before:
        raise StaleAnswer
    if fetched and placeholders.among([fetched.digest]):
        return False
    if fetched:
        store_manifest(image.repository, fetched.digest, registry)
        write_tag_changes(
            image, [TagChange(tag, fetched.digest, timezone.now())], how=TagHistoryEntry.How.EVENT
        )
    if row and row.unreadable_since:
        _mark(row, unreadable_since=None)
    return False


@transaction.atomic
def _mark(row: Tag, **moment: datetime | None) -> None:
    fence()
    Tag.objects.filter(pk=row.pk).update(**moment)


def refresh_digest(image: Image, digest: str, registry: RegistryClient) -> bool:
    """Return True when the registry does not hold the manifest in this image's repository any more; then note it."""
    rows = RepositoryManifest.objects.filter(image=image, manifest=digest)
    try:
        registry.manifest(image.repository, digest)
    except NotInRegistry:
        if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
            return False
        with transaction.atomic():
            fence()
            rows.filter(gone_at=None).update(gone_at=timezone.now())
            count_untagged(image)
        return True
    except RegistryError:
        return False
    with transaction.atomic():
        fence()
        rows.exclude(gone_at=None).update(gone_at=None)
    return False
