"""When each part of the installation last proved that it lives."""

from datetime import datetime, timedelta

from registry_sync.models import Heartbeat

PULSE = timedelta(seconds=10)  # how often the schedule asks the worker for a sign of life (manager/celery.py)
SILENT = 12 * PULSE


def note(name: str, now: datetime, *, every: timedelta = timedelta()) -> None:
    """Writes at most once in `every`."""
    if Heartbeat.objects.filter(name=name, at__lte=now - every).update(at=now):
        return
    Heartbeat.objects.get_or_create(name=name, defaults={"at": now})


def last(name: str) -> datetime | None:
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def all_last() -> dict[str, datetime]:
    return dict(Heartbeat.objects.values_list("name", "at"))


def silent(at: datetime | None, now: datetime) -> bool:
    return at is None or now - at > SILENT
