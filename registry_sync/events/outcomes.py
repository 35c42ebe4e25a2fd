"""What came of an event, and when it is due again. Each in a transaction that the lease fences."""

import time
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts.common import clock
from namespaces.ledger import confirmation
from registry_sync.events import handlers, pull_counts
from registry_sync.events.kinds import Kind
from registry_sync.leases import LeaseHandle
from registry_sync.models import Event

DELAY_MAX = timedelta(minutes=10)
ATTEMPTS_MAX = 23  # with the pause below: about two and a quarter hours


@transaction.atomic
def done(events: Collection[Event], lease: LeaseHandle) -> None:
    lease.set_current_work("")
    _confirm_pushes(event for event in events if not event.applied_at)
    ids = [event.pk for event in events]
    Event.objects.filter(pk__in=ids).update(due_at=None, problem="")
    Event.objects.filter(pk__in=ids, applied_at=None).update(applied_at=clock.now())


@transaction.atomic
def applied(events: Collection[Event], lease: LeaseHandle) -> None:
    """All for the first time: the registry is asked about each a little later."""
    lease.set_current_work("")
    _confirm_pushes(events)
    now = clock.now()
    Event.objects.filter(pk__in=[event.pk for event in events]).update(
        applied_at=now, due_at=now + confirmation_delay(0), attempts=1, problem=""
    )


def _confirm_pushes(events: Iterable[Event]) -> None:
    """Tell the access ledger, in the transaction that makes them applied: each counts once."""
    pushes = [event for event in events if handlers.kind_of(event) in (Kind.PUSH, Kind.UNTAGGED_PUSH)]
    if pushes:
        confirmation.confirm([pull_counts.use_of(event) for event in pushes])


def unsettled(event: Event, lease: LeaseHandle) -> None:
    """Have the registry asked (again) a little later."""
    if not event.applied_at:
        # Confirmations count from the first application: failures before it are no answers.
        applied([event], lease)
        return
    due_at = clock.now() + confirmation_delay(event.attempts)
    write(event, lease, due_at=due_at, attempts=event.attempts + 1, problem="")


def failed(event: Event, problem: str, lease: LeaseHandle, began: float | None = None) -> None:
    """Try it again later, twice as late each time.

    Not before as long as it took has passed: the others wait meanwhile. Given up in the end: a check corrects what it
    would have reported.
    """
    attempts = event.attempts + 1
    took = timedelta(seconds=time.monotonic() - began if began else 0)
    pause = max(took, confirmation_delay(attempts) if event.applied_at else _retry_delay(attempts))
    due_at = clock.now() + pause if attempts < ATTEMPTS_MAX else None
    write(event, lease, attempts=attempts, due_at=due_at, problem=problem)


@transaction.atomic
def write(event: Event, lease: LeaseHandle, **values: object) -> None:
    lease.set_current_work("")
    Event.objects.filter(pk=event.pk).update(**values)


def confirmation_delay(times: int) -> timedelta:
    """Return how long it waits. What failed counts as asked: a tag's link needs that time to be written."""
    return min(timedelta(seconds=settings.EVENT_CONFIRM_AFTER * 2**times), DELAY_MAX)


def _retry_delay(failures: int) -> timedelta:
    """Return a second after the first failure: nobody sees the push until then, and most are over, as a restart is."""
    return min(timedelta(seconds=settings.EVENT_RETRY_AFTER * 2 ** (failures - 1)), DELAY_MAX)
