"""Looks at one tag or one manifest in the registry, and makes the picture say the same."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.client import Missing, Registry, RegistryError, Unreachable
from registry_sync.inventory import placeholders, stored
from registry_sync.inventory.fetcher import ContentReader, Place
from registry_sync.inventory.writer import Move, count_untagged, store_reading, write_moves
from registry_sync.leases import fence


def store(repository: str, digest: str, registry: Registry) -> None:
    """Read a manifest that is there, and what it lists, unless all that is known. Raise RegistryError, Missing."""
    place = Place(repository, digest)
    if stored.settled([place]):
        return
    fetched = registry.manifest(repository, digest)
    assert fetched
    with ContentReader(registry) as reader:
        reading = reader.read_manifests({place: fetched}, held=stored.held, whole=stored.whole)
        if place not in store_reading(reading, [place]):
            raise reader.silence or Unreachable("not all of it came")


class Behind(Exception):
    """The registry still answers what the tag pointed at before."""


def at_tag(image: Image, tag: str, registry: Registry, *, take_away: bool, before: str = "") -> bool:
    """Return True when the registry has no such tag. Raise RegistryError when it gives no clear answer.

    `take_away`: it was said before, so this is the second answer, and the tag goes. Else it is marked missing.
    `before`: a digest that is not to be believed yet; raises Behind.
    """
    row = Tag.objects.filter(image=image, name=tag).first()
    pointed_at = row.manifest_id if row else ""
    try:
        fetched = registry.manifest(image.repository, tag, known=pointed_at)
    except Missing:
        if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
            return False
        if take_away and row:
            write_moves(image, [Move(tag, "", timezone.now())], how=TagHistoryEntry.How.EVENT)
        elif row and not row.missing_since:
            _mark(row, missing_since=timezone.now())
        return True
    if row and row.missing_since:
        _mark(row, missing_since=None)
    if fetched and fetched.digest == before:
        raise Behind
    if fetched and placeholders.among([fetched.digest]):
        return False
    if fetched:
        store(image.repository, fetched.digest, registry)
        write_moves(image, [Move(tag, fetched.digest, timezone.now())], how=TagHistoryEntry.How.EVENT)
    if row and row.unreadable_since:
        _mark(row, unreadable_since=None)
    return False


@transaction.atomic
def _mark(row: Tag, **moment: datetime | None) -> None:
    fence()
    Tag.objects.filter(pk=row.pk).update(**moment)


def at_digest(image: Image, digest: str, registry: Registry) -> bool:
    """Return True when the registry does not hold the manifest in this image's repository any more; then note it."""
    held = RepositoryManifest.objects.filter(image=image, manifest=digest)
    try:
        registry.manifest(image.repository, digest)
    except Missing:
        if settings.REGISTRY_IS_PULL_THROUGH_CACHE:
            return False
        with transaction.atomic():
            fence()
            held.filter(gone_at=None).update(gone_at=timezone.now())
            count_untagged(image)
        return True
    except RegistryError:
        return False
    with transaction.atomic():
        fence()
        held.exclude(gone_at=None).update(gone_at=None)
    return False
