"""How true the inventory is, in words; and what the operator sees of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, StrIndex, Substr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.common.counted import counted_together
from accounts.common.fair_share import in_turns
from accounts.common.prepared_queries import prepared
from namespaces.models import Namespace, ReservedName
from namespaces.names import split
from registry_sync import doctor, heartbeats, installation_status
from registry_sync.alarms import HealthSigns, alarms
from registry_sync.freshness import (
    LIGHT_OF,
    ROLLBACK_TAGS_MIN,
    FinishedCheck,
    FreshnessInput,
    Reason,
    judge,
    time_left,
)
from registry_sync.models import (
    DiagnosticRun,
    Drift,
    Event,
    Marker,
    Purge,
    QuarantinedWork,
    Repository,
    SyncRun,
)
from registry_sync.reconcile import intervals
from registry_sync.view_scope import ALL, ViewScope

RUN_SILENT_AFTER = timedelta(minutes=2)
ROLLBACK_SHOWN = LEAP_SHOWN = timedelta(days=7)
FRESHNESS_STATES = ["live", "stale", "failed", "needs_approval", "never"]
RECENT_RUNS = 20  # the newest runs: what is asked of them is nearly always among them
State = SyncRun.State


@dataclass(frozen=True)
class Detail:
    """A fact of the line: `text`, a moment after it, and what follows."""

    text: str
    moment: datetime | None = None
    after: str = ""


@dataclass(frozen=True)
class Progress:
    run: SyncRun
    left: timedelta | None
    silent: bool  # the worker says nothing; another takes the run over when its time is up


@dataclass(frozen=True)
class Freshness:
    """How true the inventory is. `state` is live, stale, failed, needs_approval or never.

    `why`, for operators alone, may name what is not for all; `checked_at`: when the last full check ended; `progress`
    of the run under way or waiting, if any.
    """

    state: str
    reason: Reason
    text: str
    why: str
    parts: list[Detail]
    event_at: datetime | None
    checked_at: datetime | None
    progress: Progress | None
    live: str = ""  # for the page to ask with, while there is progress
    unread: str = ""  # why not all of what is shown could be read lately: of one of its repositories
    purging: bool = True  # whether there may be a purge to tell of

    @property
    def running(self) -> SyncRun | None:
        return self.progress.run if self.progress else None


def freshness(
    now: datetime, *, of: ViewScope = ALL, exact: bool = False, signs: HealthSigns | None = None
) -> Freshness:
    """Return the freshness `of` what the page shows. `signs`: as the statement that found the person brought them.

    `exact` is for operators: a moment of the last event, and how many differences there were, asked for again and
    again, would tell each tenant what all others do.
    """
    signs = signs or _read_signs(now)
    event_at = signs.event_at
    newest: list[Any] = _newest_runs(bool(event_at), now=now, **Purge.recent_since(now), **of.narrowed)
    along = newest[0] if newest else None
    running = next((run for run in newest if run.state in (State.RUNNING, State.WAITING)), None)
    last: SyncRun | None = next((run for run in newest if run.finished_at), None)
    full = _full(newest, lambda run: bool(run.finished_at), 1, finished_at__isnull=False)
    if last and last.quick and last.state == State.DONE:
        # A quick pass that went well proves little: the last full check stands.
        last = full[0] if full else None
    good = _full(newest, lambda run: run.state == State.DONE, 2, state=State.DONE)
    progress = _progress(running, now) if running else None
    differing = event_at and (not along or along.differing)
    differences, unreported_since = _differences(of, good, event_at) if differing else (0, None)
    waiting_since: datetime | None = None
    if event_at:
        waiting_since = along.waiting_since if along else _waiting(of, now).first()
    facts = FreshnessInput(
        now=now, rest=_rest(newest, last), last=_check(last), differences=differences,
        troubled=bool(along and along.unread is not None),
        needs_approval=any(run.tags_needing_approval for run in newest)
        and of.repositories().filter(tags_needing_approval__gt=0).exists(),
        under_way=bool(progress and progress.run.state == State.RUNNING and not progress.silent),
        no_worker=signs.no_worker, alarm=next(iter(alarms(signs)), None), event_at=event_at,
        unreported_since=unreported_since, waiting_since=waiting_since,
    )  # fmt: skip
    reason = judge(facts)
    checked = good[0] if good else None
    told_at = event_at if exact or not event_at else event_at.replace(second=0, microsecond=0)
    parts = _details(reason, told_at, checked, differences, exact=exact)
    if reason in AS_OF and signs.answered_at:
        parts.insert(0, Detail(_("this list is as of"), signs.answered_at))
    return Freshness(
        LIGHT_OF[reason], reason, _text(reason), _why(reason, last), parts,
        event_at=told_at, checked_at=checked.finished_at if checked else None, progress=progress,
        unread=(along and along.unread) or "", purging=bool(not along or along.purging),
    )  # fmt: skip


@prepared
def _newest_runs(
    with_events: bool, *, now: datetime, ended_since: datetime, restored_since: datetime, **scope: Any
) -> QuerySet[SyncRun]:
    """Find the RECENT_RUNS newest, each with `.unread` and `.purging`.

    Where events arrive, also with `.differing` and `.waiting_since`.

    What is asked of the rest comes along with the runs: statements cost more than what they find.
    """
    of = ViewScope(**scope)
    unread = of.repositories().exclude(problem="").values("problem")[:1]
    purges = of.purges().filter(Purge.recent(ended_since=ended_since, restored_since=restored_since))
    rows = SyncRun.objects.annotate(unread=Subquery(unread), purging=Exists(purges))
    if with_events:
        rows = rows.annotate(
            differing=Exists(of.differences()), waiting_since=Subquery(_waiting(of, now)[:1])
        )
    return rows.order_by("-id")[:RECENT_RUNS]


def _full(
    newest: Sequence[SyncRun], fits: Callable[[SyncRun], bool], most: int, **the_same: object
) -> list[SyncRun]:
    """Return the last full checks that fit, nearly always without a question."""
    found = [run for run in newest if not run.quick and fits(run)][:most]
    if len(found) == most or len(newest) < RECENT_RUNS:
        return found
    return list(SyncRun.objects.filter(quick=False, **the_same).order_by("-id")[:most])


def runs() -> QuerySet[SyncRun]:
    """Where one after the other is held, the last of them."""
    return _with_next_state().exclude(**_REPEATED).order_by("-id")


def repeated_approval_runs() -> QuerySet[SyncRun]:
    """By the schedule, and the next one was too: it says nothing that the next does not."""
    return _with_next_state().filter(**_REPEATED)


_REPEATED: Final = {
    "state": State.NEEDS_APPROVAL,
    "requested_by": "schedule",
    "next_state": State.NEEDS_APPROVAL,
}


def _with_next_state() -> QuerySet[SyncRun]:
    later = SyncRun.objects.filter(pk__gt=OuterRef("pk")).exclude(finished_at=None).order_by("pk")
    return SyncRun.objects.annotate(next_state=Coalesce(Subquery(later.values("state")[:1]), Value("")))


def run_needing_approval() -> SyncRun | None:
    """Return the run that waits for an operator: the last that ended, if something is held."""
    last = SyncRun.objects.exclude(finished_at=None).order_by("-id").first()
    return last if last and (last.state == State.NEEDS_APPROVAL or last.tags_needing_approval) else None


def is_same_approval(last: SyncRun, id: int) -> bool:  # noqa: A002
    """Whether that run, and all from it to `last`, were held for the same."""
    since = SyncRun.objects.filter(pk__gte=id, pk__lte=last.pk).exclude(finished_at=None)
    same = Q(state=State.NEEDS_APPROVAL) | Q(tags_needing_approval__gt=0)
    return since.filter(pk=id).exists() and not since.exclude(same, problem=last.problem).exists()


@dataclass(frozen=True)
class ComponentHealth:
    """Whether a part lives: works, silent, never (seen), or unknown, while nothing makes it show that it does."""

    name: str
    at: datetime | None
    state: str


def component_health(now: datetime) -> list[ComponentHealth]:
    """Worker and schedule. A worker gives a sign with each task, and without the schedule few come."""
    worker, schedule = heartbeats.worker_at(), heartbeats.last(Marker.BEAT)
    asked = not heartbeats.is_silent(schedule, now)
    return [
        ComponentHealth(Marker.WORKER, worker, _health(worker, now, provable=asked)),
        ComponentHealth(Marker.BEAT, schedule, _health(schedule, now, provable=True)),
    ]


def _health(at: datetime | None, now: datetime, *, provable: bool) -> str:
    if at is None:
        return "never"
    if not heartbeats.is_silent(at, now):
        return "works"
    return "silent" if provable else "unknown"


def clock_went_back(now: datetime) -> datetime | None:
    """When that was found, of the last day."""
    at = heartbeats.last(Marker.CLOCK)
    return at if at and now - at < timedelta(days=1) else None


def clock_ran_ahead(now: datetime) -> datetime | None:
    at = heartbeats.last(Marker.LEAP)
    return at if at and now - at < LEAP_SHOWN else None


def last_event_at() -> datetime | None:
    return heartbeats.last(Marker.EVENTS)


def is_approved() -> bool:
    """Whether an operator has approved the deletions, and the run that makes them has not ended."""
    return SyncRun.objects.filter(deletions_approved=True, finished_at=None).exists()


def diagnostic_runs() -> QuerySet[DiagnosticRun]:
    return DiagnosticRun.objects.order_by("-id")


@dataclass(frozen=True)
class Rollback:
    """Found by `run`: so many `tags` are back, without an event, at what they had left."""

    run: int
    tags: int
    found_at: datetime


def rolled_back(now: datetime) -> Rollback | None:
    """Return the last one of a week. What an event explained afterwards counts no more."""
    back = Drift.objects.filter(rolled_back=True, found_at__gt=now - ROLLBACK_SHOWN).order_by().values("run")
    runs = back.annotate(tags=Count("id"), at=Min("found_at")).filter(tags__gte=ROLLBACK_TAGS_MIN)
    last = runs.order_by("-run").first()
    return Rollback(last["run"], last["tags"], last["at"]) if last else None


def differences() -> QuerySet[Drift]:
    return Drift.objects.select_related("run").order_by("-id")


def quarantined() -> QuerySet[QuarantinedWork]:
    """Return what is left alone because workers crashed on it."""
    return QuarantinedWork.objects.select_related("account").order_by("-id")


def events(which: str = "") -> QuerySet[Event]:
    """`which`: waiting, failed (with a problem, whether tried again or given up), applied, or "" for all."""
    rows = Event.objects.defer("raw").annotate(shown_raw=Substr("raw", 1, 4000)).order_by("-id")
    return rows.filter(EVENT_STATES[which]) if which in EVENT_STATES else rows


EVENT_STATES = {
    "waiting": Q(problem="") & ~Q(due_at=None),
    "failed": ~Q(problem=""),
    "applied": Q(problem="", due_at=None),
}


def event_counts(most: int = 1000) -> dict[str, int]:
    """Up to `most` of each that somebody must care about: counting all of a long list costs too much."""
    return counted_together({which: events_for(which, most) for which in ("waiting", "failed")})


def events_for(which: str, most: int = 1000) -> QuerySet[Event]:
    """Return up to `most` events in one of EVENT_STATES, in no order, to be counted."""
    return Event.objects.filter(EVENT_STATES[which]).order_by()[:most]


def unassigned(first: str | None = None) -> QuerySet[Repository]:
    """Repositories in the registry that belong to no namespace of any account. With `first`: those under it."""
    rows = Repository.objects.filter(image=None).exclude(name=doctor.REPOSITORY).order_by("name")
    return rows if first is None else rows.filter(Q(name=first) | Q(name__startswith=f"{first}/"))


@dataclass(frozen=True)
class UnassignedGroup:
    first: str
    repositories: int
    since: datetime


def unassigned_groups(*, after: str = "", most: int = 100) -> list[UnassignedGroup]:
    """By first part, in order, from `after` on."""
    first = Substr("name", 1, StrIndex(Concat(F("name"), Value("/")), Value("/")) - 1)
    rows = unassigned().annotate(first=first).filter(first__gt=after).order_by().values("first")
    counted = rows.annotate(count=Count("id"), since=Min("first_seen_at")).order_by("first")[:most]
    return [UnassignedGroup(row["first"], row["count"], row["since"]) for row in counted]


def with_problems(most: int) -> tuple[list[Repository], int]:
    """Return some of each namespace, and how many there are in all."""
    names = list(Repository.objects.exclude(problem="").order_by("name").values_list("name", flat=True))
    some = in_turns(names, lambda name: split(name)[0])[:most]
    return list(Repository.objects.filter(name__in=some).order_by("name")), len(names)


def reserved_names() -> QuerySet[ReservedName]:
    """Names that have no namespace now, and that nobody but the account that had one gets by making it."""
    live = Namespace.objects.filter(name=OuterRef("name"))
    rows = ReservedName.objects.exclude(Exists(live)).exclude(name=split(doctor.REPOSITORY)[0])
    return rows.select_related("account").order_by("name")


def _progress(run: SyncRun, now: datetime) -> Progress:
    if run.state == State.WAITING or not run.started_at:
        return Progress(run, None, silent=now - run.requested_at > RUN_SILENT_AFTER)
    left = time_left(
        started=run.started_at, now=now, done=run.repositories_done, total=run.repositories_total
    )
    return Progress(run, left, silent=now - (run.heartbeat_at or run.started_at) > RUN_SILENT_AFTER)


def _check(run: SyncRun | None) -> FinishedCheck | None:
    if not run or not run.finished_at:
        return None
    return FinishedCheck(run.state, run.started_at or run.finished_at, run.finished_at)


def _rest(newest: Sequence[SyncRun], last: SyncRun | None) -> timedelta:
    """After `last`, until the next full check."""
    interval = timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    if not last or not last.finished_at or not last.started_at:
        return interval
    ends = (State.DONE, State.INCOMPLETE)
    whole = _full(newest, lambda run: run.state in ends, intervals.RECENT_RUNS, state__in=ends)
    return intervals.rest(last, whole, interval)


def _is_worker_silent(begun: datetime | None, now: datetime) -> bool:
    """Return whether it began long ago, and the worker gives no sign of life.

    A long task gives other signs than its beginning; they are asked for only when that is long ago.
    """
    return (
        bool(begun) and heartbeats.is_silent(begun, now) and heartbeats.is_silent(heartbeats.worker_at(), now)
    )


def _read_signs(now: datetime) -> HealthSigns:
    found = heartbeats.read_markers(
        Marker.EVENTS, Marker.WORKER, Marker.REGISTRY, Marker.COLLECTING, *Marker.TROUBLES
    )
    worker_at = found.get(Marker.WORKER)
    return HealthSigns(
        answered_at=found.get(Marker.REGISTRY),
        unreachable_since=found.get(Marker.REGISTRY_SILENT),
        refused_since=found.get(Marker.REGISTRY_REFUSES),
        unsigned_since=found.get(Marker.TOKENS_UNSIGNED),
        worker_at=worker_at,
        event_at=found.get(Marker.EVENTS),
        no_worker=_is_worker_silent(worker_at, now),
        collecting=installation_status.is_collecting(found.get(Marker.COLLECTING), now),
    )


def _waiting(of: ViewScope, now: datetime) -> QuerySet[Event, datetime | None]:
    waiting = of.events().filter(applied_at=None, due_at__lte=now).order_by("due_at")
    return waiting.values_list("due_at", flat=True)


def _differences(
    of: ViewScope, good: list[SyncRun], event_at: datetime | None
) -> tuple[int, datetime | None]:
    """Return what no event had reported and was found by the last full check, or any run since the one before it.

    And since when such things go unreported. `good`: the last two full checks, the newest first.
    """
    if not event_at:
        return 0, None
    unreported = Q(found_at__gt=event_at)
    checked = Q(run__gt=good[1].pk if len(good) > 1 else 0) if good else Q(pk__in=[])
    found = of.differences().filter(checked | unreported)
    counted = found.aggregate(checked=Count("pk", filter=checked), at=Min("found_at", filter=unreported))
    return counted["checked"], counted["at"]


AS_OF = (Reason.UNREACHABLE, Reason.TOKENS_REFUSED)
TEXTS = {
    Reason.UNREACHABLE: gettext_lazy("The registry does not answer"),
    Reason.TOKENS_REFUSED: gettext_lazy("The registry rejects the panel’s tokens"),
    Reason.READ_ONLY: gettext_lazy("The database is read-only: changes in the registry are not shown"),
    Reason.NEVER: gettext_lazy("Not synced with the registry yet"),
    Reason.NEEDS_APPROVAL: gettext_lazy(
        "So much is missing from the registry that an operator must approve its removal from the panel"
    ),
    Reason.NO_WORKER: gettext_lazy("Worker or schedule is not responding: nothing is read from the registry"),
    Reason.FAILED: gettext_lazy("The last sync failed"),
    Reason.INCOMPLETE: gettext_lazy("Not everything could be read"),
    Reason.OVERDUE: gettext_lazy("No full check lately; are worker and schedule running?"),
    Reason.EVENTS_DELAYED: gettext_lazy("Events are not being applied; is the worker running?"),
    Reason.EVENTS_MISSING: gettext_lazy("No events arrived, although there were pushes"),
    Reason.EVENTS_INCOMPLETE: gettext_lazy("Some events were missed"),
    Reason.NO_EVENTS: gettext_lazy("No events: the panel asks the registry every %(seconds)s s"),
    Reason.EVENTS_COMPLETE: gettext_lazy("Live"),
}


def _text(reason: Reason) -> str:
    return TEXTS[reason] % {"seconds": settings.SYNC_INTERVAL_SECONDS}


def _why(reason: Reason, last: SyncRun | None) -> str:
    return last.problem if last and reason in (Reason.FAILED, Reason.INCOMPLETE) else ""


def _details(
    reason: Reason, event_at: datetime | None, good: SyncRun | None, differences: int, *, exact: bool
) -> list[Detail]:
    parts = []
    if event_at:
        parts.append(Detail(_("last event"), event_at))
    if good and good.finished_at:
        parts.append(
            Detail(
                _("last full check"),
                good.finished_at,
                _agreement(event_at, differences, exact=exact) if reason in WITH_AGREEMENT else "",
            )
        )
    elif reason is not Reason.NEVER:
        parts.append(Detail(_("no full check yet")))
    return parts


# Of the others, what the last check found says nothing of now.
WITH_AGREEMENT = (Reason.EVENTS_COMPLETE, Reason.EVENTS_INCOMPLETE, Reason.NEEDS_APPROVAL, Reason.INCOMPLETE)


def _agreement(event_at: datetime | None, differences: int, *, exact: bool) -> str:
    """Without events there is nothing that a check could agree with."""
    if not event_at:
        return ""
    if not differences:
        return _("no differences")
    if not exact:
        return _("differences found")
    words = ngettext("%(count)s difference found", "%(count)s differences found", differences)
    return words % {"count": differences}
