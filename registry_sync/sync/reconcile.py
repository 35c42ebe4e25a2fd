"""One reconcile: the catalog, then every repository's tags, compared with our picture and mended."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from registry_sync.client import Registry, RegistryError
from registry_sync.models import SyncRun
from registry_sync.sync import apply, leases
from registry_sync.sync.collect import Reader, TagsRead
from registry_sync.sync.planner import Row, plan

LEASE = "reconcile"
CHUNK = 100  # repositories read, compared and written together

log = logging.getLogger(__name__)


def reconcile(registry: Registry) -> SyncRun | None:
    """Does one run, or returns None while another worker is at it. Never raises for a bad registry."""
    token = leases.take(LEASE, timezone.now())
    if token is None:
        return None
    try:
        return Reconcile(registry, token).run()
    except leases.LeaseLost:
        log.warning("another worker took the sync over")
        return None
    finally:
        leases.give_back(LEASE, token, timezone.now())
        registry.close()


class Reconcile:
    """The state of one run under one lease."""

    def __init__(self, registry: Registry, token: int) -> None:
        self.registry = registry
        self.token = token
        self.reader = Reader(registry)
        self.record = _begin(timezone.now())
        self.unread = 0

    def run(self) -> SyncRun:
        try:
            self._read_catalog()
            self._read_repositories()
        except RegistryError as error:
            self._finish(SyncRun.State.FAILED, str(error))
        except BaseException:
            self._finish(SyncRun.State.FAILED, "the worker stopped in the middle; the next run goes on")
            raise
        else:
            if self.unread:
                self._finish(SyncRun.State.INCOMPLETE, f"{self.unread} repositories could not be read")
            else:
                self._finish(SyncRun.State.DONE, "")
        finally:
            self.reader.close()
        return self.record

    def _read_catalog(self) -> None:
        names = dict.fromkeys(self.registry.repositories(), "")
        changes = plan(apply.known_repositories(), names)
        if changes:
            self._write(lambda now: apply.write_catalog(changes, now))
        self.record.changes += len(changes.add) + len(changes.remove)
        self.record.changes += apply.claim_repositories()

    def _read_repositories(self) -> None:
        names = apply.claimed()
        self.record.repositories_total = len(names)
        self._progress()
        for start in range(0, len(names), CHUNK):
            self._read_chunk(names[start : start + CHUNK])
            self._progress()

    def _read_chunk(self, names: list[str]) -> None:
        have = apply.known_tags(names)
        digests = {name: {tag: row.digest for tag, row in tags.items()} for name, tags in have.items()}
        reads = self.reader.read_tags(digests)
        self._store_new_manifests(reads)
        for read in reads:
            self.record.changes += self._write(_tags_writer(read, have[read.repository]))
            self.unread += bool(read.problem)
        self.record.repositories_done += len(names)

    def _store_new_manifests(self, reads: list[TagsRead]) -> None:
        fetched = {digest: (read.repository, got) for read in reads for digest, got in read.fetched.items()}
        stored = apply.stored_sizes(fetched)
        new = {digest: pair for digest, pair in fetched.items() if digest not in stored}
        if new:
            apply.store_manifests(self.reader.read_manifests(new, apply.stored_sizes))

    def _write(self, work: Callable[[datetime], int | None]) -> int:
        """Under the lease, in one transaction: half a repository is never written, nor by a dead holder."""
        now = timezone.now()
        with transaction.atomic():
            leases.keep(LEASE, self.token, now)
            return work(now) or 0

    def _progress(self) -> None:
        self.record.requests = self.registry.requests
        self.record.heartbeat_at = timezone.now()
        self.record.save()
        leases.keep(LEASE, self.token, self.record.heartbeat_at)

    def _finish(self, state: SyncRun.State, problem: str) -> None:
        self.record.state, self.record.problem = state, problem[:500]
        self.record.requests = self.registry.requests
        self.record.finished_at = self.record.heartbeat_at = timezone.now()
        self.record.save()


def _tags_writer(read: TagsRead, have: Mapping[str, Row]) -> Callable[[datetime], int]:
    return lambda now: apply.write_tags(read, have, now)


def _begin(now: datetime) -> SyncRun:
    """Takes the run that somebody asked for, or a new one; runs that a dead worker left are closed."""
    SyncRun.objects.filter(state=SyncRun.State.RUNNING).update(
        state=SyncRun.State.FAILED, finished_at=now, problem="the worker stopped in the middle"
    )
    run = SyncRun.objects.filter(state=SyncRun.State.WAITING).order_by("id").first() or SyncRun()
    run.state, run.started_at, run.heartbeat_at = SyncRun.State.RUNNING, now, now
    run.save()
    return run
