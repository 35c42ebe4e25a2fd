"""Reads again the manifests that were not complete when they were first seen.

A config, or a platform's manifest, was answered with an error that may have passed.
"""

from contextlib import suppress
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.common.fair_share import in_turns
from namespaces.models import RepositoryManifest
from registry_sync import leases, quarantine
from registry_sync.client import RegistryClient
from registry_sync.inventory.fetcher import ManifestReader, ManifestRef
from registry_sync.inventory.stored import complete_digests, present
from registry_sync.inventory.writer import store_reading
from registry_sync.leases import LeaseHandle, fence
from registry_sync.work_units import WorkUnit

LEASE = "contents"
UNANSWERED_ACCOUNTS_MAX = 3  # accounts of whose manifests nothing came, and the others wait for the next time
Account = int | None
GIVE_UP_AFTER = timedelta(days=7)  # what did not come by then was deleted, or never pushed


def retry_due(registry: RegistryClient) -> None:
    """Read some of what is due of each account; each still incomplete one comes again when it is twice as old."""
    if not _due().exists():
        return
    with suppress(leases.LeaseLost), leases.hold(LEASE) as lease:
        if lease:
            _retry_due(registry, lease)


def _retry_due(registry: RegistryClient, lease: LeaseHandle) -> None:
    unanswered, quarantined = set[Account](), quarantine.Snapshot()
    crashed_accounts = {unit.account for unit in quarantined.crashes}
    with ManifestReader(registry, alive=lease.keep_alive) as reader:
        for account, row in sorted(_some_of_each(), key=lambda each: each[0] in crashed_accounts):
            # Put off first: what a worker hangs or crashes on stands before nothing, and is read by one alone.
            if account in unanswered or not _postpone(row):
                continue
            unit = WorkUnit(account, row.image.repository, row.manifest_id)
            if quarantined.holds(unit):
                continue
            lease.set_current_work(unit.packed())
            if not _read(row, reader) and reader.last_failure:
                unanswered.add(account)  # its others would wait as long
            lease.set_current_work("")
            quarantine.forget_crashes(unit, quarantined)
            if len(unanswered) >= UNANSWERED_ACCOUNTS_MAX:
                return


def _some_of_each() -> list[tuple[Account, RepositoryManifest]]:
    """Of each account, in turns, what was due first."""
    owned = _due().order_by("due_at").values_list("image__namespace__account_id", "pk")
    first = list(islice(in_turns(owned.iterator(), lambda row: row[0]), settings.RETRIED_AT_ONCE))
    rows = RepositoryManifest.objects.select_related("image__namespace__account").in_bulk(
        [pk for _account, pk in first]
    )
    return [(account, rows[pk]) for account, pk in first if pk in rows]


def _due() -> QuerySet[RepositoryManifest]:
    return RepositoryManifest.objects.filter(due_at__lte=timezone.now(), gone_at=None)


def _postpone(row: RepositoryManifest) -> bool:
    """Return False when another was quicker."""
    now = timezone.now()
    mine = RepositoryManifest.objects.filter(pk=row.pk, due_at=row.due_at)
    return bool(mine.update(due_at=now + min(now - row.first_seen_at, GIVE_UP_AFTER)))


def _read(row: RepositoryManifest, reader: ManifestReader) -> bool:
    ref = ManifestRef(row.image.repository, row.manifest_id)
    reading = reader.read_manifests(reader.fetch([ref]), present=present, complete=complete_digests)
    if ref not in store_reading(reading, [ref], again=True):
        return False
    if ref not in reading.due or timezone.now() - row.first_seen_at >= GIVE_UP_AFTER:
        _stop_retrying(row)
    return True


@transaction.atomic
def _stop_retrying(row: RepositoryManifest) -> None:
    fence()
    RepositoryManifest.objects.filter(pk=row.pk).update(due_at=None)
