"""How workers keep up with what there is to do."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet

from accounts.common.counted import counted_together
from accounts.models import OutgoingMail
from manager.metrics.gauge import Gauge, one, seconds
from namespaces.webhooks import delivery
from registry_sync.models import Drift, Event, QuarantinedWork, Removal, SyncRun

RUNS = 2_000  # of which is looked at
EVENTS = 200
RECENT = timedelta(minutes=10)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# As the indexes say it: SQLite takes them for nothing else, though it follows from what is asked.
_HAS_DUE_AT = ~Q(due_at=None)


def due(now: datetime) -> Iterator[Gauge]:
    rows_of: dict[str, QuerySet[Any]] = {
        "events": Event.objects.filter(due_at__lte=now),
        "removals": Removal.objects.filter(due_at__lte=now),
        "mails": OutgoingMail.objects.filter(due_at__lte=now),
        "webhooks": delivery.due(now),
    }
    waiting: dict[str, float] = {}
    delay: dict[str, float] = {}
    for kind, rows in rows_of.items():
        first = _in_order(rows).values("pk", "due_at")[: settings.METRICS_COUNTED_MAX]
        found = first.aggregate(count=Count("pk"), oldest=Min("due_at"))
        waiting[kind], oldest = found["count"], found["oldest"]
        if kind == "webhooks" and oldest:
            oldest = _in_order(delivery.neglected(now)).values_list("due_at", flat=True).first()
        delay[kind] = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    yield Gauge(
        "registry_manager_work_due",
        f"How much is due and not done, {settings.METRICS_COUNTED_MAX:,} at most.",
        waiting,
        "kind",
    )
    yield Gauge(
        "registry_manager_work_delay_seconds",
        "For how long the oldest of it has been due. webhooks: without what waits for a slow receiver.",
        delay,
        "kind",
    )


def _in_order(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(_HAS_DUE_AT).order_by("due_at")


def events(now: datetime) -> Iterator[Gauge]:
    newest = Event.objects.order_by("-id").values_list("received_at", "applied_at")[:EVENTS]
    lags = [
        (applied_at or now) - received_at for received_at, applied_at in newest if received_at > now - RECENT
    ]
    yield one(
        "registry_manager_event_lag_seconds",
        f"Longest time from an event's arrival until it was applied, or now, among those of the last "
        f"{RECENT.seconds // 60} minutes, the newest {EVENTS} at most.",
        max((lag.total_seconds() for lag in lags), default=0.0),
    )


def checks(now: datetime) -> Iterator[Gauge]:
    done = Q(state=SyncRun.State.DONE)
    kinds = {"full": Q(quick=False), "quick": Q(quick=True)}
    states = [state.value for state in SyncRun.State]
    newest = SyncRun.objects.order_by("-id")[:RUNS]
    found = newest.aggregate(
        **{f"last_{kind}": Max("finished_at", filter=done & which) for kind, which in kinds.items()},
        **{state: Count("pk", filter=Q(state=state, requested_at__gt=now - HOUR)) for state in states},
    )
    yield Gauge(
        "registry_manager_sync_last_success_timestamp_seconds",
        f"When a check of the registry last ended well. 0: none of the last {RUNS:,} did.",
        {kind: seconds(found[f"last_{kind}"]) for kind in kinds},
        "kind",
    )
    yield Gauge(
        "registry_manager_sync_runs",
        "Checks that were asked for within the last hour, by their state now.",
        {state: found[state] for state in states},
        "state",
    )
    took: dict[str, float] = {}
    ended = newest.values_list("quick", "started_at", "finished_at")[:50]
    for quick, started_at, finished_at in ended:
        if started_at and finished_at:
            took.setdefault("quick" if quick else "full", (finished_at - started_at).total_seconds())
    yield Gauge(
        "registry_manager_sync_run_seconds",
        "How long the last check took that ended; absent where none of the last 50 did.",
        took,
        "kind",
    )


def left_over(now: datetime) -> Iterator[Gauge]:
    rows: dict[str, tuple[str, QuerySet[Any]]] = {
        "drift": (
            "Differences that checks found within a day and no event had reported",
            Drift.objects.filter(found_at__gt=now - DAY),
        ),
        "events_failed": (
            "Events that could not be applied or confirmed, those tried again included",
            Event.objects.exclude(problem=""),
        ),
        "work_quarantined": (
            "What is left alone because workers crashed on it",
            QuarantinedWork.objects.all(),
        ),
    }
    found = counted_together(
        {name: each.order_by()[: settings.METRICS_COUNTED_MAX] for name, (_about, each) in rows.items()}
    )
    for name, (about, _rows) in rows.items():
        yield one(
            f"registry_manager_{name}", f"{about}, {settings.METRICS_COUNTED_MAX:,} at most.", found[name]
        )
