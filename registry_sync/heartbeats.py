"""When each part of the installation last proved that it lives."""

from datetime import datetime, timedelta

from django.db.models import Max, Q

from registry_sync import leases
from registry_sync.models import Lease, Marker, Shard

PULSE = timedelta(seconds=10)  # between two signs of the schedule, and two of the worker that it sends work
SILENT_AFTER = 12 * PULSE
AHEAD_MAX = timedelta(minutes=1)  # a sign from further ahead was given by another clock, and proves nothing


def note(name: str, now: datetime, *, every: timedelta = timedelta()) -> None:
    """Write at most once in `every`; and over what lies further ahead than that."""
    if every and (noted := last(name)) and now - every < noted <= now + every:
        return
    if Marker.objects.filter(Q(at__lte=now - every) | Q(at__gt=now + every), name=name).update(at=now):
        return
    Marker.objects.get_or_create(name=name, defaults={"at": now})


def last(name: str) -> datetime | None:
    return Marker.objects.filter(name=name).values_list("at", flat=True).first()


def read_markers(*names: str) -> dict[str, datetime]:
    return dict(Marker.objects.filter(name__in=names).values_list("name", "at"))


def worker_at() -> datetime | None:
    """Return the worker's last heartbeat: a task that began, or a lease that a long one keeps."""
    lease_ends = (
        Shard.objects.aggregate(at=Max("lease_until"))["at"],
        Lease.objects.aggregate(at=Max("until"))["at"],
    )
    lease_signs = [at - leases.LIFETIME for at in lease_ends if at]
    task_began_at = last(Marker.WORKER)
    return max([*lease_signs, task_began_at]) if task_began_at else None


def is_silent(at: datetime | None, now: datetime) -> bool:
    return at is None or not -AHEAD_MAX <= now - at <= SILENT_AFTER


def reserve(name: str, now: datetime, at: datetime) -> bool:
    """Return True for the one who is to come at `at`; False while somebody is booked already for a time to come."""
    if Marker.objects.filter(name=name, at__lte=now).update(at=at):
        return True
    _row, new = Marker.objects.get_or_create(name=name, defaults={"at": at})
    return new
