"""Fulfils what was asked for, one item after the other. A worker may die anywhere: the next one goes on."""

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

PATIENCE = timedelta(minutes=15)  # a person who waits so long for a silent registry looks elsewhere
PATIENCE_IN_BULK = timedelta(hours=6)  # for rules and purges
ATTEMPTS_AT_ONE = 12  # in bulk, about ten minutes, at what alone gets no good answer
PAUSE_MAX = 60
SILENT_MAX = 3  # accounts without an answer, and the others wait for the next time
TURN = 60  # seconds for one wish at a time
BULK = 4  # each so many turns one is of a rule or a purge, however many small wishes wait
SERVED = timedelta(hours=1)  # who had no turn for so long is next
REFUSE_ALL = (
    Outcome.DELETION_DISABLED,
    Outcome.READ_ONLY,
    Outcome.PULL_THROUGH_CACHE,
)  # the next one would be told the same
LEASE_PREFIX = "removal-"  # and the image's key: one worker at a time for each image

log = logging.getLogger(__name__)


def work_due(registry: RegistryClient, *, after_run: Callable[[], None] = lambda: None) -> timedelta | None:
    """Do what is due, each account's in its turn, small wishes before rules and purges.

    `after_run` is called when a removal of a rule's run was worked at, which may have been the run's last.
    Return how long until more is due, None when nothing waits, or the registry gives no answer.
    """
    tried, silent, ends = set[int](), set[int](), time.monotonic() + settings.DELETION_PASS
    while removal := _next(tried, silent):
        tried.add(removal.pk)
        Removal.objects.filter(pk=removal.pk).update(last_attempt_at=clock.now())
        if work(removal, registry):
            silent.add(removal.image.namespace.account_id)
        if removal.run_id:
            after_run()
        if len(silent) >= SILENT_MAX:
            return None
        if time.monotonic() > ends:
            return timedelta()
    waiting = Removal.objects.exclude(due_at=None).exclude(image__namespace__account__in=silent)
    first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    return max(first - clock.now(), timedelta()) if first else None


def work(removal: Removal, registry: RegistryClient) -> bool:
    """Work at one wish. Return True when the registry gave no answer at all."""
    lease = f"{LEASE_PREFIX}{removal.image_id}"
    try:
        with leases.hold(lease) as holding:
            # None: another worker does something to the same image.
            return holding is not None and _fulfil(removal, registry, holding)
    except leases.LeaseLost:
        log.warning("another worker took %s over", removal)
        return False


def _next(tried: Collection[int], silent: Collection[int]) -> Removal | None:
    """Of the account whose last turn is longest ago."""
    now = clock.now()
    account = F("image__namespace__account_id")
    due = (
        Removal.objects.filter(due_at__lte=now)
        .exclude(pk__in=tried)
        .exclude(image__namespace__account__in=silent)
    )
    in_bulk = Q(run__isnull=False) | Q(purge__isnull=False)
    queues = due.order_by().values(account=account, in_bulk=in_bulk).annotate(first=Min("id"))
    taken = Removal.objects.filter(last_attempt_at__gt=now - SERVED).order_by().values(account=account)
    served = dict(taken.annotate(at=Max("last_attempt_at")).values_list("account", "at"))
    bulk_first = len(tried) % BULK == BULK - 1
    found = min(
        queues,
        key=lambda each: (
            bool(each["in_bulk"]) != bulk_first, served.get(each["account"], now - SERVED), each["first"],
        ),
        default=None,
    )  # fmt: skip
    return (
        Removal.objects.select_related("image__namespace__account").get(pk=found["first"]) if found else None
    )


def _fulfil(removal: Removal, registry: RegistryClient, lease: LeaseHandle) -> bool:
    acts = Executor(removal.image, registry, lease.keep_alive)
    recorder, known = Recorder(removal.image, lease.name, lease.token), quarantine.Snapshot()
    problem, refused, silent, ends = "", None, False, time.monotonic() + TURN
    alone = False  # something went wrong about one thing, while the registry answered others
    for item in _waiting(removal):
        if time.monotonic() > ends:
            return False  # it is still due; others have their turn first
        item.removal = removal
        if refused and not _is_halfway(item):
            recorder.undone(item, RemovalItem.State.FAILED, refused, "")
            continue
        spot = _spot(item)
        if (left := _is_left(item, spot, known, recorder)) is not None:
            problem = problem or left
            continue
        lease.begin(spot)
        try:
            _do(item, acts, recorder)
            refused = Outcome(item.outcome) if item.outcome in REFUSE_ALL else refused
        except leases.LeaseLost:
            raise
        except RegistryError as error:
            problem, silent = str(error), isinstance(error, NoResponse)
            lease.end()
            alone = not silent and registry.answers()
            if not alone:
                break  # the next one would wait as long for an answer
        except Exception as error:
            # It may be done and not written down, so it is tried again; the others do not wait for it.
            log.exception("%s of %s cannot be done now", item, removal)
            problem = type(error).__name__
            lease.end()
        quarantine.forget_crashes(spot, known)
    if not problem or not _later(removal, recorder, problem, alone=alone):
        finish(removal)
    return silent


def _spot(item: RemovalItem) -> WorkUnit:
    image = item.removal.image
    return WorkUnit(
        image.namespace.account_id, image.repository, f"{item.removal.kind} {item.tag or item.digest}"
    )


def _is_left(item: RemovalItem, spot: WorkUnit, known: quarantine.Snapshot, recorder: Recorder) -> str | None:
    """Why it waits, "" when it is given up, because workers die of it; else None."""
    if known.holds(spot) and not _is_halfway(item):
        recorder.undone(item, RemovalItem.State.FAILED, Outcome.QUARANTINED, "")
        return ""
    again = known.again(spot)
    return quarantine.PROBLEM if known.holds(spot) or (again and again > clock.now()) else None


def _is_halfway(item: RemovalItem) -> bool:
    """Return whether the tag may point at our placeholder, which is never left there."""
    return bool(item.placeholder_digest and item.started_at)


def _waiting(removal: Removal) -> list[RemovalItem]:
    return list(removal.items.filter(state=RemovalItem.State.WAITING).order_by("id"))


def _do(item: RemovalItem, acts: Executor, recorder: Recorder) -> None:
    """Do it. Raise RegistryError when it is to be tried again later, LeaseLost."""
    try:
        outcome = _act(item, acts)
    except Failed as failed:
        recorder.undone(item, RemovalItem.State.FAILED, failed.outcome, failed.detail)
    except Stopped as stopped:
        recorder.undone(item, RemovalItem.State.STOPPED, stopped.outcome, stopped.detail)
    else:
        recorder.done(item, outcome)


def _act(item: RemovalItem, acts: Executor) -> Outcome:
    if settings.REGISTRY_IS_PULL_THROUGH_CACHE:  # its 404 is no absence either
        raise Failed(Outcome.PULL_THROUGH_CACHE)
    if item.confirmed_dependents.get("after") and not _gone(item, item.confirmed_dependents["after"]):
        raise Stopped(Outcome.PARENT_KEPT)
    match item.removal.kind:
        case Removal.Kind.UNTAG:
            return acts.untag(item)
        case Removal.Kind.RESTORE:
            return acts.restore(item)
    return acts.delete(item)


def _gone(item: RemovalItem, digests: list[str]) -> bool:
    others = RemovalItem.objects.filter(
        removal=item.removal, digest__in=digests, state=RemovalItem.State.DONE
    )
    return others.count() == len(digests)


def _later(removal: Removal, recorder: Recorder, problem: str, *, alone: bool) -> bool:
    """Put it off. Return False when it is given up: then nothing of it waits any more."""
    now, in_bulk = clock.now(), bool(removal.run_id or removal.purge_id)
    overdue = now - removal.requested_at > (PATIENCE_IN_BULK if in_bulk else PATIENCE)
    overdue = overdue or (in_bulk and alone and removal.attempts >= ATTEMPTS_AT_ONE)
    if overdue and not _give_up(removal, recorder, problem):
        return False
    pause = timedelta(seconds=PAUSE_MAX if overdue else min(PAUSE_MAX, 2 ** min(removal.attempts + 1, 10)))
    Removal.objects.filter(pk=removal.pk).update(
        due_at=now + pause, attempts=F("attempts") + 1, problem=problem[:300]
    )
    return True


def _give_up(removal: Removal, recorder: Recorder, problem: str) -> bool:
    """Give it up. Return True when some of it waits on."""
    halfway = False
    for item in _waiting(removal):
        if _is_halfway(item):
            halfway = True
        else:
            item.removal = removal
            recorder.undone(item, RemovalItem.State.FAILED, Outcome.NO_RESPONSE, problem)
    return halfway


def finish(removal: Removal) -> None:
    """Record how it ended, once, and end the purge that asked for it. A rule's run is ended by the task."""
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
        purge_worker.settle(removal.purge_id)
