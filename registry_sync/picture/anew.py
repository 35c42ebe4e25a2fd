"""Reads again the manifests that were not complete when they were first seen: a config, or a platform's manifest, was
answered with an error that may have passed."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from namespaces.models import Image, Manifest
from registry_sync.client import Registry, RegistryError
from registry_sync.picture.content import ContentReader
from registry_sync.picture.write import renew_manifest, store_manifests, stored_sizes

AT_ONCE = 50
GIVEN_UP = timedelta(days=7)  # what did not come by then was deleted, or never pushed


def read_due(registry: Registry, *, alive: Callable[[], None]) -> None:
    """Some of what is due; each that is still not complete comes again when it is twice as old."""
    due = Manifest.objects.filter(due_at__lte=timezone.now()).order_by("due_at")[:AT_ONCE]
    reader = ContentReader(registry)
    try:
        for row in due:
            alive()
            if not _read(row, reader):
                _put_off(row)
    finally:
        reader.close()


def _read(row: Manifest, reader: ContentReader) -> bool:
    held = Image.objects.filter(revisions__manifest=row, revisions__gone_at=None)
    image = held.select_related("namespace").first()
    if image is None:
        return False
    try:
        found = reader.fetch({row.digest: image.repository})
        values = reader.read_manifests(found, stored_sizes)
    except RegistryError:
        return False
    store_manifests(values)  # the platforms, and labels
    for each in values:
        if each.digest == row.digest and each.complete:
            renew_manifest(image, each)
            return True
    return False


def _put_off(row: Manifest) -> None:
    now = timezone.now()
    age = now - row.fetched_at
    row.due_at = now + age if age < GIVEN_UP else None
    row.save(update_fields=["due_at"])
