"""Whether the parts of the installation live, and what they found wrong."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from accounts.models import AuditSeal
from manager.metrics.gauge import Gauge, one, seconds
from manager.metrics.machine_gauges import certificate_ends_at
from registry_sync import backup_due, heartbeats, installation_status
from registry_sync.alarms import Alarm, HealthSigns, alarms
from registry_sync.models import Backup, Marker

CERTIFICATE_LEFT = timedelta(days=5)  # it is renewed ten days before
PARTS = {
    "worker": Marker.WORKER,
    "scheduler": Marker.BEAT,
    "events": Marker.EVENTS,
    "registry": Marker.REGISTRY,
}
AUDIT_LOG = {
    "intact": Marker.AUDIT_LOG_INTACT,
    "changed": Marker.AUDIT_LOG_CHANGED,
    "unverified": Marker.AUDIT_LOG_UNVERIFIED,
}


def signs(now: datetime, *, read_only: bool) -> Iterator[Gauge]:
    noted = heartbeats.read_markers(*PARTS.values(), Marker.COLLECTING, *Marker.TROUBLES)
    worker_at = heartbeats.worker_at()
    active = alarms(
        HealthSigns(
            unreachable_since=noted.get(Marker.REGISTRY_SILENT),
            refused_since=noted.get(Marker.REGISTRY_REFUSES),
            unsigned_since=noted.get(Marker.TOKENS_UNSIGNED),
            worker_at=worker_at,
            no_worker=worker_at is not None and heartbeats.is_silent(worker_at, now),
            read_only=read_only,
            collecting=installation_status.is_collecting(noted.get(Marker.COLLECTING), now),
        )
    )
    beat_at = noted.get(Marker.BEAT)
    no_scheduler = beat_at is not None and heartbeats.is_silent(beat_at, now)
    ends_at = certificate_ends_at()
    problems = {
        "database": False,
        "no_scheduler": no_scheduler,
        "certificate_ends": ends_at is not None and ends_at < now + CERTIFICATE_LEFT,
    }
    meant = Alarm.COLLECTING  # and it ends
    yield _problem(problems | {alarm.value: alarm in active for alarm in Alarm if alarm is not meant})
    moments = {part: noted.get(marker) for part, marker in PARTS.items()} | {"worker": worker_at}
    yield Gauge(
        "registry_manager_last_seen_timestamp_seconds",
        "When each part last gave a sign of life: events, when the registry last brought one. 0: never.",
        {part: seconds(moment) for part, moment in moments.items()},
        "part",
    )


def no_database() -> Gauge:
    """Return what there is to say without one; of the other problems nobody knows anything."""
    return _problem({"database": True})


def _problem(problems: Mapping[str, bool]) -> Gauge:
    about = "1 while it is so: what makes push and pull fail, now or soon, or keeps the inventory as it is."
    return Gauge(
        "registry_manager_problem", about, {name: float(is_so) for name, is_so in problems.items()}, "problem"
    )


def audit_log() -> Iterator[Gauge]:
    noted = heartbeats.read_markers(*AUDIT_LOG.values())
    yield Gauge(
        "registry_manager_audit_log_verified_timestamp_seconds",
        "When the nightly check of the audit log last ended so. 0: never.",
        {outcome: seconds(noted.get(marker)) for outcome, marker in AUDIT_LOG.items()},
        "outcome",
    )
    last = AuditSeal.objects.order_by("-id").values_list("at", flat=True).first()
    yield one(
        "registry_manager_audit_seal_timestamp_seconds",
        "When the audit log was last sealed, which needs new events. 0: never.",
        seconds(last),
    )


def backups() -> Iterator[Gauge]:
    last = Backup.objects.first()
    yield one(
        "registry_manager_backup_timestamp_seconds",
        "When manage.py backup last made a backup. 0: never.",
        seconds(last.at if last else None),
    )
    if due_at := backup_due.due_at(last):
        yield one(
            "registry_manager_backup_due_timestamp_seconds",
            "By when the next backup is to be made; absent where BACKUP_DAYS is 0.",
            seconds(due_at),
        )
