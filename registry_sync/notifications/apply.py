"""Applies what was taken in. Twice or in any order gives the same picture, and a worker may die at any point.

An event adds provisionally: it comes before the registry has written the tag. What a tag points at is therefore
asked of the registry once more a little later; and only such an answer, about just this tag, takes away.
"""

import logging
import time
from collections import defaultdict
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts.outage import Outage, first_line, outage_of
from registry_sync.client import Registry, RegistryError, Silent
from registry_sync.models import Event
from registry_sync.notifications import pulls, tags
from registry_sync.notifications.due import Queue
from registry_sync.sync import leases

LEASE = "events"
TURN = 1.0  # seconds, then whoever came meanwhile is looked at
SILENT_MAX = 3  # accounts of whose images the registry says nothing, and the others wait for the next time
LATEST = timedelta(minutes=10)
LATER = timedelta(seconds=2)  # until a tag link is surely written
ATTEMPTS_MAX = 20  # with the backoff below: about two and a half hours

log = logging.getLogger(__name__)


def apply_due(registry: Registry) -> timedelta | None:
    """Applies all that is due, of each account in order of arrival. Returns how long until more is, None when nothing
    waits.

    One applier at a time.
    """
    token = leases.take(LEASE, timezone.now())
    if token is None:
        return None
    queue = Queue()
    try:
        while _apply_batch(registry, token, queue):
            pass
    except leases.LeaseLost:
        log.warning("another worker took the events over")
        return None
    except Silent:
        return None  # each would wait as long for an answer; beat comes again
    finally:
        leases.give_back(LEASE, token, timezone.now())
    # Whoever stored one since the last look found the lease taken, and woke nobody.
    return queue.wait()


def retry(event: Event) -> None:
    """An operator's wish: now, and as often again."""
    Event.objects.filter(pk=event.pk).update(due_at=timezone.now(), attempts=0)


def _apply_batch(registry: Registry, token: int, queue: Queue) -> bool:
    """False when nothing is due. Raises Silent when the registry gives several accounts no answer."""
    batch = queue.next()
    counted = [event for event in batch if event.action == "pull"]
    early = pulls.before_the_first_push(counted)  # of an image that this very batch may make
    if known := [event for event in counted if event not in early]:
        _count(known, token)
    asking = {(event.repository, event.tag): event.pk for event in batch if _is_to_be_confirmed(event)}
    ends = time.monotonic() + TURN
    for event in batch:
        if event.action == "pull" or queue.account_of(event) in queue.silent:
            continue
        leases.keep(LEASE, token, timezone.now())
        if _is_to_be_confirmed(event) and asking[event.repository, event.tag] != event.pk:
            _done(
                [event]
            )  # a tag that is pushed all the time is asked about once, and the last event keeps count
        else:
            try:
                _apply(event, registry)
            except Silent:
                queue.silent.add(queue.account_of(event))
                if len(queue.silent) >= SILENT_MAX:
                    raise
        if time.monotonic() > ends:
            break
    if early and (behind := pulls.put_behind_the_push(early)) != early:
        _count([event for event in early if event not in behind], token)
    return bool(batch)


def _count(events: list[Event], token: int) -> None:
    """All of them at once; where that cannot be, each repository's by themselves, and then each."""
    try:
        with transaction.atomic():
            leases.keep(LEASE, token, timezone.now())
            pulls.count(events)
            _done(events)
    except DatabaseError as error:
        if outage_of(error) not in (None, Outage.BUSY):
            raise
        of: dict[object, list[Event]] = defaultdict(list)
        one_repository = len({event.repository for event in events}) == 1
        for event in events:
            of[event.pk if one_repository else event.repository].append(event)
        if len(events) == 1 or (one_repository and outage_of(error)):
            for event in events:
                _failed(event, first_line(error))
            return
        for some in of.values():
            _count(some, token)


def _is_to_be_confirmed(event: Event) -> bool:
    return event.action == "push" and event.tag != "" and event.applied_at is not None


def _apply(event: Event, registry: Registry) -> None:
    try:
        certain = tags.apply(event, registry)
    except RegistryError as error:
        _failed(event, str(error))
        if isinstance(error, Silent):
            raise
    except (OperationalError, InterfaceError) as error:
        if outage_of(error) is not Outage.BUSY:
            raise  # no database: nothing could be noted either
        # A long transaction holds this repository, or a statement takes too long: the others do not wait for it.
        _failed(event, first_line(error))
    except Exception as error:
        # One event that cannot be applied must not stand before all others.
        log.exception("event %s cannot be applied", event.event_id)
        _failed(event, f"{type(error).__name__}: {error}")
    else:
        if certain:
            _done([event])
        else:
            now = timezone.now()
            # Confirmations count from the first application: failures before it are no answers.
            asked = event.attempts if event.applied_at else 0
            Event.objects.filter(pk=event.pk).update(
                applied_at=event.applied_at or now, due_at=now + min(LATER * 2**asked, LATEST),
                attempts=asked + 1, problem="",
            )  # fmt: skip


def _done(events: list[Event]) -> None:
    now = timezone.now()
    ids = [event.pk for event in events]
    Event.objects.filter(pk__in=ids).update(due_at=None, problem="")
    Event.objects.filter(pk__in=ids, applied_at=None).update(applied_at=now)


def _failed(event: Event, problem: str) -> None:
    """Again later, twice as late each time; given up in the end: the reconcile mends what it would have told."""
    attempts = event.attempts + 1
    wait = timedelta(seconds=min(600, 5 * 2**attempts))
    due = timezone.now() + wait if attempts < ATTEMPTS_MAX else None
    Event.objects.filter(pk=event.pk).update(attempts=attempts, due_at=due, problem=problem[:300])
