"""When each part of the installation last proved that it lives."""

from datetime import datetime, timedelta

from registry_sync.models import Heartbeat


def note(name: str, now: datetime, *, every: timedelta = timedelta()) -> None:
    """Writes at most once in `every`."""
    if Heartbeat.objects.filter(name=name, at__lte=now - every).update(at=now):
        return
    Heartbeat.objects.get_or_create(name=name, defaults={"at": now})


def last(name: str) -> datetime | None:
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
