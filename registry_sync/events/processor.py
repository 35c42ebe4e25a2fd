"""Applies stored events. Twice or in any order gives the same inventory, and a worker may be killed at any point.

An event adds provisionally: it comes before the registry has written the tag. What a tag points at is therefore
asked of the registry once more a little later; and only such an answer, about just this tag, takes away.
"""

import logging
import time
from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from accounts.common import clock
from accounts.common.database_errors import Outage, first_line, outage_of
from namespaces.names import DIGEST
from registry_sync import leases, quarantine
from registry_sync.client import NoResponse, RegistryClient, RegistryError, Unauthorized
from registry_sync.events import due_events, handlers, pull_counts
from registry_sync.events.due_events import EventQueue
from registry_sync.leases import LeaseHandle
from registry_sync.models import Event, QuarantinedWork
from registry_sync.work_units import WorkUnit

LEASE = "events"
TASK_SECONDS = 240.0  # seconds, then a new task goes on; a task lives ten minutes at most
UNANSWERED_ACCOUNTS_MAX = (
    3  # accounts of whose images the registry says nothing, and the others wait for the next time
)
DELAY_MAX = timedelta(minutes=10)
UNAUTHORIZED_DELAY = timedelta(seconds=5)  # a clock may be right again
ATTEMPTS_MAX = 23  # with the pause below: about two and a quarter hours

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
            ends = time.monotonic() + TASK_SECONDS
            while _process_batch(registry, lease, queue):
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


def _process_batch(registry: RegistryClient, lease: LeaseHandle, queue: EventQueue) -> bool:
    """Return False when nothing is due. Raise NoResponse when the registry gives several accounts no answer."""
    batch, now = queue.next(), clock.now()
    units = {event.pk: _work_unit(event, queue.account_of(event)) for event in batch}
    asking = {(event.repository, event.tag): event.pk for event in batch if _is_to_be_confirmed(event)}
    quarantined = quarantine.Snapshot()
    batch.sort(key=lambda event: quarantined.is_late(units[event.pk], now))
    pulls = [event for event in batch if event.action == "pull"]
    early = pull_counts.of_unknown_images(pulls) if pulls else []  # of an image that this very batch may make
    if others := [event for event in pulls if event not in early]:
        _count(others, lease)
    ends = time.monotonic() + settings.EVENT_TURN
    for event in batch:
        if event.action == "pull" or queue.account_of(event) in queue.unanswered:
            continue
        unit = units[event.pk]
        if _is_quarantined(event, unit, quarantined, lease):
            continue
        lease.set_current_work(unit.packed())
        if _is_to_be_confirmed(event) and asking[event.repository, event.tag] != event.pk:
            # A tag that is pushed all the time is asked about once, and the last event keeps count.
            _done([event], lease)
        else:
            try:
                _process(event, registry, lease)
            except NoResponse:
                queue.unanswered.add(queue.account_of(event))
                if len(queue.unanswered) >= UNANSWERED_ACCOUNTS_MAX:
                    raise
        quarantine.forget_crashes(unit, quarantined)
        if time.monotonic() > ends:
            break
    if early and (behind := pull_counts.delay_until_after_push(early)) != early:
        _count([event for event in early if event not in behind], lease)
    return bool(batch)


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
        _write(event, lease, due_at=None, problem=quarantine.PROBLEM)
        return True
    retry_at = quarantined.retry_at(unit)
    if retry_at and retry_at > clock.now():
        _write(event, lease, due_at=retry_at)
        return True
    return False


def _count(events: list[Event], lease: LeaseHandle) -> None:
    """All of them at once; where that cannot be, each repository's by themselves, and then each."""
    try:
        with transaction.atomic():
            lease.keep_alive()
            _done(pull_counts.count(events), lease)
    except DatabaseError as error:
        if outage_of(error) not in (None, Outage.BUSY):
            raise
        groups: dict[object, list[Event]] = defaultdict(list)
        one_repository = len({event.repository for event in events}) == 1
        for event in events:
            groups[event.pk if one_repository else event.repository].append(event)
        if len(events) == 1 or (one_repository and outage_of(error)):
            for event in events:
                _failed(event, first_line(error), lease)
            return
        for group in groups.values():
            _count(group, lease)


def _is_to_be_confirmed(event: Event) -> bool:
    return event.action == "push" and event.tag != "" and event.applied_at is not None


def _process(event: Event, registry: RegistryClient, lease: LeaseHandle) -> None:
    began = time.monotonic()
    try:
        settled = handlers.handle(event, registry)
    except Unauthorized as error:
        _write(event, lease, due_at=clock.now() + UNAUTHORIZED_DELAY, problem=str(error)[:300])
        raise NoResponse(str(error)) from error  # as are all others
    except RegistryError as error:
        _failed(event, str(error), lease, began)
        if isinstance(error, NoResponse):
            raise
    except leases.LeaseLost:
        raise
    except (OperationalError, InterfaceError) as error:
        if outage_of(error) is not Outage.BUSY:
            raise  # no database: nothing could be noted either
        # A long transaction holds this repository, or a statement takes too long: the others do not wait for it.
        _failed(event, first_line(error), lease, began)
    except Exception as error:
        # One event that cannot be applied must not stand before all others.
        log.exception("event %s cannot be applied", event.event_id)
        _failed(event, f"{type(error).__name__}: {error}", lease, began)
    else:
        if settled:
            _done([event], lease)
        else:
            now = clock.now()
            # Confirmations count from the first application: failures before it are no answers.
            asked = event.attempts if event.applied_at else 0
            _write(
                event,
                lease,
                applied_at=event.applied_at or now,
                due_at=now + _confirmation_delay(asked),
                attempts=asked + 1,
                problem="",
            )


@transaction.atomic
def _done(events: list[Event], lease: LeaseHandle) -> None:
    lease.set_current_work("")
    ids = [event.pk for event in events]
    Event.objects.filter(pk__in=ids).update(due_at=None, problem="")
    Event.objects.filter(pk__in=ids, applied_at=None).update(applied_at=clock.now())


def _failed(event: Event, problem: str, lease: LeaseHandle, began: float | None = None) -> None:
    """Try it again later, twice as late each time.

    Not before as long as it took has passed: the others wait meanwhile. Given up in the end: a check corrects what it
    would have reported.
    """
    attempts = event.attempts + 1
    took = timedelta(seconds=time.monotonic() - began if began else 0)
    pause = max(took, _confirmation_delay(attempts) if event.applied_at else _retry_delay(attempts))
    due_at = clock.now() + pause if attempts < ATTEMPTS_MAX else None
    _write(event, lease, attempts=attempts, due_at=due_at, problem=problem[:300])


def _retry_delay(failures: int) -> timedelta:
    """Return a second after the first failure: nobody sees the push until then, and most are over, as a restart is."""
    return min(timedelta(seconds=settings.EVENT_RETRY_AFTER * 2 ** (failures - 1)), DELAY_MAX)


def _confirmation_delay(times: int) -> timedelta:
    """Return how long it waits. What failed counts as asked: a tag's link needs that time to be written."""
    return min(timedelta(seconds=settings.EVENT_CONFIRM_AFTER * 2**times), DELAY_MAX)


@transaction.atomic
def _write(event: Event, lease: LeaseHandle, **values: object) -> None:
    lease.set_current_work("")
    Event.objects.filter(pk=event.pk).update(**values)
