"""Reads again the manifests that were not complete when they were first seen: a config, or a platform's manifest, was
answered with an error that may have passed."""

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from accounts.shares import in_turns
from namespaces.models import Image, Manifest
from registry_sync.client import Registry
from registry_sync.picture.content import ContentReader
from registry_sync.picture.write import renew_manifest, store_manifests, stored_sizes
from registry_sync.sync import aside, leases
from registry_sync.sync.leases import Holding
from registry_sync.sync.spots import Spot

LEASE = "contents"
AT_ONCE = 50
SILENT_MAX = 3  # accounts of whose manifests nothing came, and the others wait for the next time
Account = int | None
GIVEN_UP = timedelta(days=7)  # what did not come by then was deleted, or never pushed


def read_due(registry: Registry) -> None:
    """Some of what is due of each account; each that is still not complete comes again when it is twice as old."""
    with suppress(leases.LeaseLost), leases.held(LEASE) as lease:
        if lease:
            _read_due(registry, lease)


def _read_due(registry: Registry, lease: Holding) -> None:
    silent, known = set[Account](), aside.Known()
    died_of = {spot.account for spot in known.deaths}
    with ContentReader(registry, alive=lease.keep) as reader:
        for account, row in sorted(_some_of_each(), key=lambda each: each[0] in died_of):
            image = _holder(row)
            # Put off first: what a worker hangs or dies on stands before nothing, and is read by one alone.
            if account in silent or image is None or not _put_off(row):
                continue
            spot = Spot(account, image.repository, row.digest)
            if known.holds(spot):
                continue
            lease.begin(spot)
            if not _read(row, image, reader) and reader.silence:
                silent.add(account)  # its others would wait as long
            lease.end()
            aside.ended(spot, known)
            if len(silent) >= SILENT_MAX:
                return


def _some_of_each() -> list[tuple[Account, Manifest]]:
    """Of each account, in turns, what was due first."""
    due = Manifest.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    owned = due.values_list("revisions__image__namespace__account_id", "pk")
    first: dict[str, Account] = {}
    for account, digest in in_turns(owned.iterator(), lambda row: row[0]):
        first.setdefault(digest, account)  # several may hold it
    rows = Manifest.objects.in_bulk(list(first)[:AT_ONCE])
    return [(account, rows[digest]) for digest, account in first.items() if digest in rows]


def _put_off(row: Manifest) -> bool:
    """False when another was quicker."""
    now = timezone.now()
    age = now - row.fetched_at
    mine = Manifest.objects.filter(pk=row.pk, due_at=row.due_at)
    return bool(mine.update(due_at=now + age if age < GIVEN_UP else None))


def _holder(row: Manifest) -> Image | None:
    held = Image.objects.filter(revisions__manifest=row, revisions__gone_at=None)
    return held.select_related("namespace").first()


def _read(row: Manifest, image: Image, reader: ContentReader) -> bool:
    values = reader.read_manifests(reader.fetch({row.digest: image.repository}), stored_sizes)
    store_manifests(values)  # the platforms, and labels
    for each in values:
        if each.digest == row.digest and each.complete:
            renew_manifest(image, each)
            return True
    return False
