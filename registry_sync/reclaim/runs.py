"""The rows of garbage collections: what was promised, how far it is, and what came of it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common import clock
from accounts.common.batches import batches
from accounts.common.lazy_text import joined
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from accounts.principal import Principal
from namespaces.models import FormerManifest, Image, RepositoryManifest
from registry_sync import heartbeats, installation_status, leases
from registry_sync.inventory import uncollected, writer
from registry_sync.models import Marker, Reclaim
from registry_sync.reclaim.walk import Walked

LEASE = "reclaim"
ANNOUNCED_SECONDS = 15  # between two notes of the command that it works
STEP_MAX = timedelta(minutes=1)  # the command says again that it works, long before this is over
BY_HAND_MAX = installation_status.COLLECTING_MAX  # what an operator does by hand between two commands
State = Reclaim.State

# What stands where it was stopped.
STANDS = {
    State.PREPARING: _("Nothing was changed."),
    State.READ_ONLY: _("Nothing was collected."),
    State.COLLECTING: _(
        "Some of the space may be free already. Nothing that an image needs was deleted; run it again."
    ),
    State.WRITABLE: _("Garbage was collected. Whether anything is missing was not checked."),
    State.CHECKING: _("Garbage was collected. Whether anything is missing was not checked to the end."),
}
ENDED = _("The command ended by itself.")


class Busy(Exception):
    """Another garbage collection runs."""


class Alive:
    """Called all the while. Once `announcing`, it has pages say so. Raise LeaseLost.

    A database that is away for a moment breaks nothing off.
    """

    def __init__(self, keep_alive: Callable[[], None]) -> None:
        self.announcing = False
        self._keep_alive = leases.rate_limited(keep_alive)
        self._next = 0.0

    def __call__(self) -> None:
        try:
            self._keep_alive()
            if self.announcing and time.monotonic() >= self._next:
                announce(clock.now())
                self._next = time.monotonic() + ANNOUNCED_SECONDS
        except (InterfaceError, OperationalError):
            connection.close()  # the next call has a new one


@contextmanager
def exclusive() -> Iterator[Alive]:
    """Let one garbage collection run at a time. Raise Busy, and LeaseLost."""
    with leases.hold(LEASE) as handle:
        if handle is None:
            raise Busy
        yield Alive(handle.keep_alive)


def begin(*, by: Principal, blobs: int, size_bytes: int, now: datetime) -> Reclaim:
    """Return a new row; what was left by one that was killed is stopped."""
    for row in Reclaim.objects.filter(state__in=Reclaim.OPEN):
        stop(row, ENDED, now=now)
    return Reclaim.objects.create(
        state=State.PREPARING, requested_by=by.label, promised_blobs=blobs, promised_bytes=size_bytes
    )


def last() -> Reclaim | None:
    return Reclaim.objects.first()


def advance(row: Reclaim, state: Reclaim.State, *, now: datetime, until: timedelta = STEP_MAX) -> None:
    """Announce it, except while the registry takes pushes: then deletions are carried out, and waited for."""
    row.state = state
    row.save()
    if state == State.PREPARING:
        over()
    else:
        announce(now, until=until)


def announce(now: datetime, *, until: timedelta = STEP_MAX) -> None:
    """Have pages say that the registry is read-only, and the worker let deletions wait, for so long at most."""
    Marker.objects.update_or_create(name=Marker.COLLECTING, defaults={"at": now + until})


def is_under_way(now: datetime) -> bool:
    return installation_status.is_collecting(heartbeats.last(Marker.COLLECTING), now)


def is_at_work(now: datetime) -> bool:
    """Whether a command runs, or an operator is between two commands."""
    return is_under_way(now) or leases.is_held(LEASE, now)


def stop(row: Reclaim, why: str, *, now: datetime) -> None:
    row.problem = joined([why, STANDS.get(Reclaim.State(row.state), "")])
    row.state, row.finished_at = State.STOPPED, now
    row.save()
    over()


def over() -> None:
    Marker.objects.filter(name=Marker.COLLECTING).delete()


@transaction.atomic
def finish(row: Reclaim, walked: Walked, *, by: Principal, now: datetime, whole: bool = True) -> None:
    """Write down what came of it. `whole`: all that waited was collected."""
    row.state, row.finished_at = State.DONE, now
    row.missing, row.missing_named = walked.missing, walked.named
    unanswered = ngettext(
        "%(n)s thing was not answered for: %(why)s",
        "%(n)s things were not answered for: %(why)s",
        walked.unanswered,
        why=walked.problem,
    )
    row.problem = "" if walked.complete else unanswered
    row.save()
    if whole and row.collected_at:
        uncollected.note_collected(until=row.collected_at)
    freed = "an unknown number" if row.freed_bytes is None else row.freed_bytes
    label = f"freed {freed} of {row.promised_bytes} bytes, {row.missing} missing"
    audit.record(
        by=by,
        action=AuditAction.REGISTRY_COLLECTED,
        kind="garbage collection",
        id=row.pk,
        label=label,
        after={"freed_bytes": row.freed_bytes, "promised_bytes": row.promised_bytes, "missing": row.missing},
    )
    over()


@transaction.atomic
def note_untagged_gone(manifests: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Note what --delete-untagged deleted, as (repository, digest): the registry sends no event about it."""
    found = defaultdict[str, list[str]](list)
    for repository, digest in manifests:
        found[repository].append(digest)
    for repository, digests in found.items():
        for some in batches(digests):
            former = FormerManifest.objects.filter(repository=repository, manifest__in=some, gone_at=None)
            former.update(gone_at=at)
        for image in Image.objects.filter(repository_row__name=repository):
            for some in batches(digests):
                rows = RepositoryManifest.objects.filter(image=image, manifest__in=some, gone_at=None)
                rows.update(gone_at=at)
            writer.count_untagged(image)
