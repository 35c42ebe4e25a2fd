"""One worker at a time for one piece of work, whatever the broker delivers, and however often.

A holder that dies is succeeded when its time is up; its token then no longer fits, so nothing late is written.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F

from registry_sync.models import Lease

LIFE = timedelta(seconds=60)
PACE = 5.0  # seconds


class LeaseLost(Exception):
    """Somebody else holds the lease now; stop without writing."""


def take(name: str, now: datetime) -> int | None:
    """The fencing token, or None while another holds the lease."""
    Lease.objects.get_or_create(name=name, defaults={"until": now})
    taken = Lease.objects.filter(name=name, until__lte=now).update(until=now + LIFE, token=F("token") + 1)
    return Lease.objects.get(name=name).token if taken else None


def keep(name: str, token: int, now: datetime) -> None:
    """Raises LeaseLost. Inside a transaction it also locks out a successor until the commit."""
    if not Lease.objects.filter(name=name, token=token).update(until=now + LIFE):
        raise LeaseLost(name)


def give_back(name: str, token: int, now: datetime) -> None:
    Lease.objects.filter(name=name, token=token).update(until=now)


def paced(alive: Callable[[], None]) -> Callable[[], None]:
    """At once, and then every few seconds: for what is called often."""
    next_time = 0.0

    def call() -> None:
        nonlocal next_time
        if time.monotonic() >= next_time:
            alive()
            next_time = time.monotonic() + PACE

    return call
