"""Applies stored events. Twice or in any order gives the same inventory, and a worker may be killed at any point.

An event adds provisionally: it comes before the registry has written the tag. What a tag points at is therefore
asked of the registry once more a little later; and only such an answer, about just this tag, takes away.
"""

import logging
import time
from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction

from accounts.common import clock
from accounts.common.database_errors import Outage, first_line, outage_of
from namespaces.names import DIGEST
from registry_sync import leases, quarantine
from registry_sync.client import NoResponse, RegistryClient, RegistryError, Unauthorized
from registry_sync.events import due_events, handlers, outcomes, pull_counts
from registry_sync.events.batch import BatchApplier, single_out_crashed
from registry_sync.events.due_events import EventQueue
from registry_sync.leases import LeaseHandle
from registry_sync.models import Event, QuarantinedWork
from registry_sync.work_units import WorkUnit

LEASE = "events"
TASK_SECONDS = 240.0  # seconds, then a new task goes on; a task lives ten minutes at most
UNANSWERED_ACCOUNTS_MAX = (
    3  # accounts of whose images the registry says nothing, and the others wait for the next time
)
UNAUTHORIZED_DELAY = timedelta(seconds=5)  # a clock may be right again

log = logging.getLogger(__name__)


def process_due(registry: RegistryClient) -> timedelta | None:
    """Apply all that is due, of each account in order of arrival. One applier at a time.

    Return how long until more is due, None when nothing waits.
    """
    queue = EventQueue()
    if not due_events.any_due():
        return queue.wait()
    try:
        with leases.hold(LEASE) as lease:
            if lease is None:
                return None
            single_out_crashed()
            together = BatchApplier(registry, lease)
            ends = time.monotonic() + TASK_SECONDS
            while _process_batch(registry, lease, queue, together):
                if time.monotonic() > ends:
                    return timedelta()
    except leases.LeaseLost:
        log.warning("another worker took the events over")
        return None
    except NoResponse:
        return None  # each would wait as long for an answer; beat comes again
    # Whoever stored one since the last look found the lease taken, and woke nobody.
    return queue.wait()


def retry(event: Event) -> None:
    """Try it now, and as often again: an operator's wish."""
    quarantine.release_all(_work_unit(event, EventQueue().look_up(event)))
    Event.objects.filter(pk=event.pk).update(due_at=clock.now(), attempts=0)


def retry_quarantined(row: QuarantinedWork) -> None:
    """Try it again, and the events that were left because of it."""
    events = Event.objects.filter(due_at=None, problem=quarantine.PROBLEM)
    if row.repository:
        events = events.filter(repository=row.repository)
    elif row.account:
        events = events.filter(namespace__in=row.account.namespaces.values("name"))
    events.update(due_at=clock.now(), attempts=0)
    quarantine.release(row)


def _process_batch(
    registry: RegistryClient, lease: LeaseHandle, queue: EventQueue, together: BatchApplier
) -> bool:
    """Return False when nothing is due. Raise NoResponse when the registry gives several accounts no answer."""
    batch, now = queue.next(), clock.now()
    quarantined = quarantine.Snapshot()
    batch.sort(key=lambda event: quarantined.is_late(_work_unit(event, queue.account_of(event)), now))
    pulls = [event for event in batch if event.action == "pull"]
    early = pull_counts.of_unknown_images(pulls) if pulls else []  # of an image that this very batch may make
    if others := [event for event in pulls if event not in early]:
        _count(others, lease)
    crashing = quarantined.accounts()
    left = [event for event in batch if event.action != "pull"]
    left = together.apply(left, queue, by_themselves=crashing)
    ends = time.monotonic() + settings.EVENT_TURN
    while left:
        event = left.pop(0)
        if _process_alone(event, registry, lease, queue, quarantined) and together.note_answer():
            left = together.apply(left, queue, by_themselves=crashing)
        if time.monotonic() > ends:
            break
    if early and (behind := pull_counts.delay_until_after_push(early)) != early:
        _count([event for event in early if event not in behind], lease)
    return bool(batch)


def _process_alone(
    event: Event,
    registry: RegistryClient,
    lease: LeaseHandle,
    queue: EventQueue,
    quarantined: quarantine.Snapshot,
) -> bool:
    """Return True when it could be applied, or confirmed. Raise NoResponse as `_process_batch` does."""
    account = queue.account_of(event)
    unit = _work_unit(event, account)
    if account in queue.unanswered or _is_quarantined(event, unit, quarantined, lease):
        return False
    lease.set_current_work(unit.packed())
    succeeded = False
    try:
        succeeded = _process(event, registry, lease)
    except NoResponse:
        queue.unanswered.add(account)
        if len(queue.unanswered) >= UNANSWERED_ACCOUNTS_MAX:
            raise
    quarantine.forget_crashes(unit, quarantined)
    return succeeded


def _work_unit(event: Event, account: int | None) -> WorkUnit:
    """Return what is asked of the registry because of it: the manifest first, then the tag."""
    item = event.tag or event.digest
    if event.action == "delete":
        item = f"delete {item}"
    elif not event.applied_at and DIGEST.fullmatch(event.digest):
        item = event.digest
    return WorkUnit(account, event.repository, item)


def _is_quarantined(
    event: Event, unit: WorkUnit, quarantined: quarantine.Snapshot, lease: LeaseHandle
) -> bool:
    """Return whether it is left: what workers crash on is quarantined, or comes later than all else."""
    if quarantined.holds(unit):
        outcomes.write(event, lease, due_at=None, problem=quarantine.PROBLEM)
        return True
    retry_at = quarantined.retry_at(unit)
    if retry_at and retry_at > clock.now():
        outcomes.write(event, lease, due_at=retry_at)
        return True
    return False


def _count(events: list[Event], lease: LeaseHandle) -> None:
    """All of them at once; where that cannot be, each repository's by themselves, and then each."""
    try:
        with transaction.atomic():
            lease.keep_alive()
            outcomes.done(pull_counts.count(events), lease)
    except DatabaseError as error:
        if outage_of(error) not in (None, Outage.BUSY):
            raise
        groups: dict[object, list[Event]] = defaultdict(list)
        one_repository = len({event.repository for event in events}) == 1
        for event in events:
            groups[event.pk if one_repository else event.repository].append(event)
        if len(events) == 1 or (one_repository and outage_of(error)):
            for event in events:
                outcomes.failed(event, first_line(error), lease)
            return
        for group in groups.values():
            _count(group, lease)


def _process(event: Event, registry: RegistryClient, lease: LeaseHandle) -> bool:
    """Return True when it could be applied, or confirmed."""
    began = time.monotonic()
    try:
        settled = handlers.handle(event, registry)
    except Unauthorized as error:
        outcomes.write(event, lease, due_at=clock.now() + UNAUTHORIZED_DELAY, problem=error.text)
        raise NoResponse(error.text) from error  # as are all others
    except RegistryError as error:
        outcomes.failed(event, error.text, lease, began)
        if isinstance(error, NoResponse):
            raise
    except leases.LeaseLost:
        raise
    except Exception as error:
        match outage_of(error):
            case None:
                # One event that cannot be applied must not stand before all others.
                log.exception("event %s cannot be applied", event.event_id)
                outcomes.failed(event, f"{type(error).__name__}: {error}", lease, began)
            case Outage.BUSY:
                # A long transaction holds this repository, or a statement takes too long: the others need not wait.
                outcomes.failed(event, first_line(error), lease, began)
            case _:
                raise  # no database: nothing could be noted either
    else:
        if settled:
            outcomes.done([event], lease)
        else:
            outcomes.unsettled(event, lease)
        return True
    return False
