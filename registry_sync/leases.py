"""One worker at a time for one piece of work, whatever the broker delivers, and however often.

A lease is short. A thread renews it while its holder works; one that was killed, stopped or hangs is succeeded within
seconds. Its token then no longer fits, so nothing late is written: `fence` stands in each transaction that writes
what was read under a lease. What the holder is at stands in the lease before it is begun.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet

from accounts.common import clock
from registry_sync import quarantine
from registry_sync.models import Lease
from registry_sync.work_units import WorkUnit

LIFETIME = timedelta(seconds=3)
RENEW_SECONDS = 0.75  # seconds
HUNG_SECONDS = 60.0  # seconds in which a holder was at nothing new; it is renewed no longer


Params = ParamSpec("Params")
Result = TypeVar("Result")


class LeaseLost(Exception):
    """Somebody else holds the lease now; stop without writing."""


class LeaseRenewer:
    """Calls `renew` from a thread of its own, and inside of transactions from the caller's."""

    def __init__(
        self, renew: Callable[[], None], *, every: float = RENEW_SECONDS, hung: float = HUNG_SECONDS
    ) -> None:
        self.renew = renew
        self._every = every
        self._hung = hung
        self._last_progress = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()  # else it might renew what was released

    def note_progress(self) -> None:
        """Note that the caller gets on."""
        self._last_progress = time.monotonic()

    def keep_alive(self) -> None:
        """Note that, and renew at once. Raise LeaseLost."""
        self.note_progress()
        self.renew()

    def _run(self) -> None:
        # No connection is made for work that is quicker than that. A thread that was stopped with its process, and goes
        # on after a successor came, finds that its token does not fit.
        try:
            while not self._over.wait(self._every) and time.monotonic() - self._last_progress < self._hung:
                with suppress(InterfaceError, OperationalError):
                    self.renew()
        except LeaseLost:
            pass  # the caller finds out by itself
        finally:
            connection.close()


_renewal: ContextVar[LeaseRenewer | None] = ContextVar("renewal", default=None)


@contextmanager
def keep_renewed(
    renew: Callable[[], None], *, every: float = RENEW_SECONDS, hung: float = HUNG_SECONDS
) -> Iterator[LeaseRenewer]:
    """`renew` raises LeaseLost when the lease is another's. It is called `every` so many seconds.

    It ends after `hung` seconds in which the holder was at nothing new.
    """
    renewal = LeaseRenewer(renew, every=every, hung=hung)
    before = _renewal.set(renewal)
    renewal.start()
    try:
        yield renewal
    finally:
        renewal.stop()
        _renewal.reset(before)


def fence() -> None:
    """First in a transaction that writes: locks out a successor until the commit. Raise LeaseLost.

    Nothing for who holds no lease.
    """
    if renewal := _renewal.get():
        renewal.renew()


def limit_idle_time() -> None:
    """Before a transaction locks a lease: for who is stopped in it would hold up all others.

    PostgreSQL ends such a transaction, and its locks with it.
    """
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET LOCAL idle_in_transaction_session_timeout = '{settings.LEASE_IDLE_SECONDS:d}s'"
            )


def fenced(write: Callable[Params, Result]) -> Callable[Params, Result]:
    """Fence a function that writes in one transaction.

    The lease is renewed once more where it took long, so that nobody who waited for the commit finds the lease over.
    """

    @wraps(write)
    def inner(*arguments: Params.args, **options: Params.kwargs) -> Result:
        fence()
        began = time.monotonic()
        result = write(*arguments, **options)
        if time.monotonic() - began > RENEW_SECONDS:
            fence()
        return result

    return inner


@dataclass(frozen=True, slots=True)
class LeaseHandle:
    """A lease while it is held. Each of these raises LeaseLost."""

    name: str
    token: int
    renewal: LeaseRenewer

    def keep_alive(self) -> None:
        self.renewal.keep_alive()

    def set_current_work(self, work: str) -> None:
        """Say what is begun with (a packed WorkUnit): should we crash, it is known on what.

        "" in the transaction that writes down how it ended.
        """
        self.renewal.note_progress()
        renew(self.name, self.token, clock.now(), current_work=work)


@contextmanager
def hold(name: str) -> Iterator[LeaseHandle | None]:
    """None while another holds it."""
    token = acquire(name, clock.now())
    if token is None:
        yield None
        return
    try:
        with keep_renewed(lambda: renew(name, token, clock.now())) as renewal:
            yield LeaseHandle(name, token, renewal)
    finally:
        release(name, token, clock.now())


@transaction.atomic
def acquire(name: str, now: datetime) -> int | None:
    """Return the fencing token, or None while another holds the lease. What a dead holder was at is written down."""
    limit_idle_time()
    row, _new = Lease.objects.get_or_create(name=name, defaults={"until": now})
    if not take_if_free(Lease.objects.filter(name=name, token=row.token), now, current_work=""):
        return None
    if row.current_work:
        quarantine.record_crash(WorkUnit.unpacked(row.current_work), now)
    return row.token + 1


def take_if_free(row: QuerySet[Any], now: datetime, *, column: str = "until", **values: object) -> bool:
    """Give the caller the lease in `column` of `row`, under its next token. False when another was quicker."""
    values = {column: now + LIFETIME, "token": F("token") + 1, **values}
    return bool(row.filter(free_at(now, column)).update(**values))


def update_if_held(row: QuerySet[Any], **values: object) -> None:
    """Update `row`, which is chosen by the token that the caller holds. Raise LeaseLost when it has another."""
    limit_idle_time()
    if not row.update(**values):
        raise LeaseLost


def is_held(name: str, now: datetime) -> bool:
    return Lease.objects.filter(name=name).exclude(free_at(now)).exists()


def free_at(now: datetime, column: str = "until") -> Q:
    """Never held, or over; or further ahead than a lease can be, so that a clock which went back wrote it."""
    over = Q(**{f"{column}__lte": now}) | Q(**{f"{column}__gt": now + 2 * LIFETIME})
    return over | Q(**{f"{column}__isnull": True})


def renew(name: str, token: int, now: datetime, **current_work: str) -> None:
    """Raise LeaseLost. Inside a transaction it also locks out a successor until the commit."""
    update_if_held(Lease.objects.filter(name=name, token=token), until=now + LIFETIME, **current_work)


def release(name: str, token: int, now: datetime) -> None:
    Lease.objects.filter(name=name, token=token).update(until=now, current_work="")


def rate_limited(alive: Callable[[], None]) -> Callable[[], None]:
    """At once, and then every few seconds: for what is called often."""
    next_time = 0.0

    def call() -> None:
        nonlocal next_time
        if time.monotonic() >= next_time:
            alive()
            next_time = time.monotonic() + settings.LEASE_PACE

    return call
