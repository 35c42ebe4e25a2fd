"""How the person behind the present request reads moments: in which zone, and whether as "4 min ago" or exactly."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

from accounts.common import time_zones

_EXACT: ContextVar[bool] = ContextVar("exact", default=False)


def exactly() -> bool:
    return _EXACT.get()


@contextmanager
def as_asked(*, zone: str, exact: bool) -> Iterator[None]:
    """`zone` is a name from outside; what is none leaves TIME_ZONE."""
    before = _EXACT.set(exact)
    try:
        with timezone.override(time_zones.named(zone)):
            yield
    finally:
        _EXACT.reset(before)
