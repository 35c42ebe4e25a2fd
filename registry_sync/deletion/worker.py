"""Carries out removals, item by item. A worker may die at any point: the next one continues."""

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Max, Min, Q

from accounts.common import clock
from registry_sync import leases, quarantine
from registry_sync.client import NoResponse, RegistryClient, RegistryError
from registry_sync.deletion import purge_worker
from registry_sync.deletion.executor import Executor
from registry_sync.deletion.outcomes import Failed, Outcome, Stopped
from registry_sync.deletion.recorder import Recorder
from registry_sync.leases import LeaseHandle
from registry_sync.models import Removal, RemovalItem
from registry_sync.work_units import WorkUnit

GIVE_UP_AFTER = timedelta(minutes=15)  # no person waits longer for a silent registry
BULK_GIVE_UP_AFTER = timedelta(hours=6)  # for rules and purges
BULK_ATTEMPTS_MAX = 12  # of a bulk removal, about ten minutes, where one item gets no good answer
PAUSE_SECONDS_MAX = 60
UNANSWERED_ACCOUNTS_MAX = 3  # after so many accounts without an answer the others wait for the next pass
TURN_SECONDS = 60  # for one removal, before others have their turn
BULK_EVERY = 4  # one turn in so many is for a rule or a purge, however many small removals wait
TURN_COUNTS_FOR = timedelta(hours=1)  # an account without a turn for so long is next
# The registry would answer the removal's next items with the same.
FAIL_REMAINING = (Outcome.DELETION_DISABLED, Outcome.READ_ONLY, Outcome.PULL_THROUGH_CACHE)
LEASE_PREFIX = "removal-"  # followed by the image's key: one worker at a time for each image

log = logging.getLogger(__name__)


def work_due(registry: RegistryClient, *, after_run: Callable[[], None] = lambda: None) -> timedelta | None:
    """Work on the removals that are due, account by account, small ones before those of rules and purges.

    `after_run` is called after each removal of a retention run, which may have been the run's last.
    Return how long until the next is due; None when none waits, or the registry gives no answer.
    """
    tried, unanswered, ends = set[int](), set[int](), time.monotonic() + settings.DELETION_PASS_SECONDS
    while removal := _next(tried, unanswered):
        tried.add(removal.pk)
        Removal.objects.filter(pk=removal.pk).update(last_attempt_at=clock.now())
        if work_on(removal, registry):
            unanswered.add(removal.image.namespace.account_id)
        if removal.run_id:
            after_run()
        if len(unanswered) >= UNANSWERED_ACCOUNTS_MAX:
            return None
        if time.monotonic() > ends:
            return timedelta()
    waiting = Removal.objects.exclude(due_at=None).exclude(image__namespace__account__in=unanswered)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    return max(first - clock.now(), timedelta()) if first else None


def work_on(removal: Removal, registry: RegistryClient) -> bool:
    """Work on one removal. Return True when the registry gave no answer at all."""
    lease = f"{LEASE_PREFIX}{removal.image_id}"
    try:
        with leases.hold(lease) as handle:
            # None: another worker is busy with the same image.
            return handle is not None and _work_items(removal, registry, handle)
    except leases.LeaseLost:
        log.warning("another worker took %s over", removal)
        return False


def _next(tried: Collection[int], unanswered: Collection[int]) -> Removal | None:
    """Return the next removal of the account whose last turn is longest ago."""
    now = clock.now()
    account = F("image__namespace__account_id")
    due = (
        Removal.objects.filter(due_at__lte=now)
        .exclude(pk__in=tried)
        .exclude(image__namespace__account__in=unanswered)
    )
    is_bulk = Q(run__isnull=False) | Q(purge__isnull=False)
    queues = due.order_by().values(account=account, is_bulk=is_bulk).annotate(first=Min("id"))
    recent = (
        Removal.objects.filter(last_attempt_at__gt=now - TURN_COUNTS_FOR).order_by().values(account=account)
    )
    last_turns = dict(recent.annotate(at=Max("last_attempt_at")).values_list("account", "at"))
    bulk_first = len(tried) % BULK_EVERY == BULK_EVERY - 1
    queue = min(
        queues,
        key=lambda each: (
            bool(each["is_bulk"]) != bulk_first,
            last_turns.get(each["account"], now - TURN_COUNTS_FOR),
            each["first"],
        ),
        default=None,
    )
    return (
        Removal.objects.select_related("image__namespace__account").get(pk=queue["first"]) if queue else None
    )


def _work_items(removal: Removal, registry: RegistryClient, lease: LeaseHandle) -> bool:
    executor = Executor(removal.image, registry, lease.keep_alive)
    recorder, quarantined = Recorder(removal.image, lease), quarantine.Snapshot()
    problem, refused, no_response, ends = "", None, False, time.monotonic() + TURN_SECONDS
    item_at_fault = False  # one item failed while the registry answers other requests
    for item in _waiting(removal):
        if time.monotonic() > ends:
            return False  # it stays due; others have their turn first
        item.removal = removal
        if refused and not _is_halfway(item):
            recorder.not_done(item, RemovalItem.State.FAILED, refused, "")
            continue
        unit = _work_unit(item)
        if (why := _why_skipped(item, unit, quarantined, recorder)) is not None:
            problem = problem or why
            continue
        lease.set_current_work(unit.packed())
        try:
            _do(item, executor, recorder)
            refused = Outcome(item.outcome) if item.outcome in FAIL_REMAINING else refused
        except leases.LeaseLost:
            raise
        except RegistryError as error:
            problem, no_response = error.text, isinstance(error, NoResponse)
            lease.set_current_work("")
            item_at_fault = not no_response and registry.answers()
            if not item_at_fault:
                break  # the next one would wait as long for an answer
        except Exception as error:
            # It may be done but not recorded, so it is tried again; the other items do not wait for it.
            log.exception("%s of %s cannot be done now", item, removal)
            problem = type(error).__name__
            lease.set_current_work("")
        quarantine.forget_crashes(unit, quarantined)
    if not problem or not _postpone(removal, recorder, problem, item_at_fault=item_at_fault):
        finish_removal(removal)
    return no_response


def _work_unit(item: RemovalItem) -> WorkUnit:
    image = item.removal.image
    return WorkUnit(
        image.namespace.account_id, image.repository, f"{item.removal.kind} {item.tag or item.digest}"
    )


def _why_skipped(
    item: RemovalItem, unit: WorkUnit, quarantined: quarantine.Snapshot, recorder: Recorder
) -> str | None:
    """Return why the item waits, "" when it is given up because workers crash on it, None when it can be worked on."""
    if quarantined.holds(unit) and not _is_halfway(item):
        recorder.not_done(item, RemovalItem.State.FAILED, Outcome.QUARANTINED, "")
        return ""
    retry_at = quarantined.retry_at(unit)
    return quarantine.PROBLEM if quarantined.holds(unit) or (retry_at and retry_at > clock.now()) else None


def _is_halfway(item: RemovalItem) -> bool:
    """Return True when the tag may point at our placeholder, which must never stay there."""
    return bool(item.placeholder_digest and item.started_at)


def _waiting(removal: Removal) -> list[RemovalItem]:
    return list(removal.items.filter(state=RemovalItem.State.WAITING).order_by("id"))


def _do(item: RemovalItem, executor: Executor, recorder: Recorder) -> None:
    """Do it and record how it ended. Raise LeaseLost, or RegistryError when it is to be tried again."""
    try:
        outcome = _execute(item, executor)
    except Failed as failed:
        recorder.not_done(item, RemovalItem.State.FAILED, failed.outcome, failed.detail)
    except Stopped as stopped:
        recorder.not_done(item, RemovalItem.State.STOPPED, stopped.outcome, stopped.detail)
    else:
        recorder.done(item, outcome)


def _execute(item: RemovalItem, executor: Executor) -> Outcome:
    if settings.REGISTRY_IS_PULL_THROUGH_CACHE:  # its 404 proves nothing either
        raise Failed(Outcome.PULL_THROUGH_CACHE)
    if item.confirmed_dependents.get("after") and not _all_deleted(item, item.confirmed_dependents["after"]):
        raise Stopped(Outcome.PARENT_KEPT)
    match item.removal.kind:
        case Removal.Kind.UNTAG:
            return executor.untag(item)
        case Removal.Kind.RESTORE:
            return executor.restore(item)
    return executor.delete(item)


def _all_deleted(item: RemovalItem, digests: list[str]) -> bool:
    deleted = RemovalItem.objects.filter(
        removal=item.removal, digest__in=digests, state=RemovalItem.State.DONE
    )
    return deleted.count() == len(digests)


def _postpone(removal: Removal, recorder: Recorder, problem: str, *, item_at_fault: bool) -> bool:
    """Try again later. Return False when the removal was given up instead, and none of its items waits."""
    now, is_bulk = clock.now(), bool(removal.run_id or removal.purge_id)
    overdue = now - removal.requested_at > (BULK_GIVE_UP_AFTER if is_bulk else GIVE_UP_AFTER)
    overdue = overdue or (is_bulk and item_at_fault and removal.attempts >= BULK_ATTEMPTS_MAX)
    if overdue and not _give_up(removal, recorder, problem):
        return False
    pause = timedelta(
        seconds=PAUSE_SECONDS_MAX if overdue else min(PAUSE_SECONDS_MAX, 2 ** min(removal.attempts + 1, 10))
    )
    Removal.objects.filter(pk=removal.pk).update(
        due_at=now + pause, attempts=F("attempts") + 1, problem=problem
    )
    return True


def _give_up(removal: Removal, recorder: Recorder, problem: str) -> bool:
    """Fail the items that wait. Return True when some still wait, because a placeholder may be under their tag."""
    still_waits = False
    for item in _waiting(removal):
        if _is_halfway(item):
            still_waits = True
        else:
            item.removal = removal
            recorder.not_done(item, RemovalItem.State.FAILED, Outcome.NO_RESPONSE, problem)
    return still_waits


def finish_removal(removal: Removal) -> None:
    """Store how it ended, once, and finish its purge. The task finishes a retention run."""
    states = list(removal.items.values_list("state", flat=True))
    done = states.count(RemovalItem.State.DONE)
    state = Removal.State.PARTIAL if done else Removal.State.FAILED
    if done == len(states):
        state = Removal.State.DONE
    now: datetime = clock.now()
    mine = Removal.objects.filter(pk=removal.pk, state=Removal.State.WAITING)
    mine.update(state=state, due_at=None, finished_at=now, problem="")
    removal.refresh_from_db(fields=["state", "due_at", "finished_at"])
    if removal.purge_id:
        purge_worker.finish_if_done(removal.purge_id)
