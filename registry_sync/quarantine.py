"""Leaves alone what workers crash on (work_units.py says when), so that it costs nobody else anything."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.common.lazy_text import lazy as _
from accounts.common.prepared_queries import prepared
from accounts.models import Account
from registry_sync.models import QuarantinedWork, Repository, WorkerCrash
from registry_sync.work_units import WorkUnit, to_quarantine

RETRY_AFTER = timedelta(days=1)  # then it is tried again, and a crash that nobody explained is forgotten
RETRY_ACCOUNT_AFTER = timedelta(hours=1)  # a whole account: most of it is good
PAUSE = timedelta(seconds=5)  # after the second crash on something: the first may be chance; then ever longer
LAST_IN_LINE_FOR = timedelta(minutes=5)
PROBLEM = _("quarantined: workers crashed on it (System, Overview)")

log = logging.getLogger(__name__)


@transaction.atomic
def record_crash(unit: WorkUnit, now: datetime) -> WorkerCrash:
    """Note that a worker began with it and did not end. Quarantine what is to be left alone from now on."""
    if unit.account is not None and not Account.objects.filter(pk=unit.account).exists():
        unit = replace(unit, account=None)
    crash = WorkerCrash.objects.create(**_columns(unit), at=now)
    mine = Q(account=unit.account)
    if unit.account is None:  # in nobody's namespace: each repository by itself
        mine &= Q(repository=unit.repository)
        if not unit.repository:
            return crash
    crashes = WorkerCrash.objects.filter(mine)
    before = {_work_unit(row) for row in QuarantinedWork.objects.filter(mine)}
    log.warning("a worker crashed while it worked on %s", unit.repository or "several repositories")
    for smallest in to_quarantine([_work_unit(row) for row in crashes], before):
        covered = [row for row in crashes if smallest.covers(_work_unit(row))]
        QuarantinedWork.objects.filter(_within(smallest)).delete()
        QuarantinedWork.objects.create(**_columns(smallest), quarantined_at=now, crash_count=len(covered))
        log.error("quarantined, because workers crashed on it: %s", _label(smallest))
        crashes.filter(_within(smallest)).delete()
    return crash


class Snapshot:
    """What is quarantined, and what workers crashed on lately, as it was when looked up."""

    def __init__(self) -> None:
        self.quarantined = [*map(_work_unit, _quarantined())]
        self.crashes: dict[WorkUnit, list[datetime]] = {}
        for row in _crashes_on_one():
            self.crashes.setdefault(_work_unit(row), []).append(row.at)

    def holds(self, unit: WorkUnit) -> bool:
        return any(each.covers(unit) for each in self.quarantined)

    def accounts(self) -> set[int | None]:
        """Those in which there is any of it."""
        return {unit.account for unit in [*self.quarantined, *self.crashes]}

    def is_late(self, unit: WorkUnit, now: datetime) -> bool:
        """Whether it comes after all else; not for ever, where much comes all the time."""
        retry_at = self.retry_at(unit)
        return retry_at is not None and now < retry_at + LAST_IN_LINE_FOR

    def retry_at(self, unit: WorkUnit) -> datetime | None:
        """When it may be tried again, None for what nobody crashed on."""
        at = self.crashes.get(unit)
        return max(at) + PAUSE * (2 ** (len(at) - 1) - 1) if at else None


@prepared
def _quarantined() -> QuerySet[QuarantinedWork]:
    return QuarantinedWork.objects.all()


@prepared
def _crashes_on_one() -> QuerySet[WorkerCrash]:
    return WorkerCrash.objects.exclude(repository="")


def forget_crashes(unit: WorkUnit, snapshot: Snapshot) -> None:
    """Once it was done: whoever crashed while working on it crashed on something else."""
    if unit in snapshot.crashes:
        WorkerCrash.objects.filter(**_columns(unit)).delete()


def repositories(ids: Iterable[int]) -> QuerySet[Repository]:
    """Of these repositories those that are left alone, or something in which is."""
    return Repository.objects.filter(pk__in=list(ids)).filter(
        Q(name__in=QuarantinedWork.objects.exclude(repository="").values("repository"))
        | Q(image__namespace__account__in=QuarantinedWork.objects.filter(repository="").values("account"))
    )


def release_all(unit: WorkUnit) -> None:
    """Try it again, with whatever it is quarantined by, and forget its crashes."""
    for row in QuarantinedWork.objects.filter(account=unit.account):
        if _work_unit(row).covers(unit):
            release(row)


def release(row: QuarantinedWork) -> None:
    WorkerCrash.objects.filter(_within(_work_unit(row))).delete()
    row.delete()


def due_for_retry(now: datetime) -> QuerySet[QuarantinedWork]:
    whole = Q(repository="", quarantined_at__lt=now - RETRY_ACCOUNT_AFTER)
    return QuarantinedWork.objects.filter(Q(quarantined_at__lt=now - RETRY_AFTER) | whole)


def forget_old(now: datetime) -> None:
    WorkerCrash.objects.filter(at__lt=now - RETRY_AFTER).delete()


def _work_unit(row: QuarantinedWork | WorkerCrash) -> WorkUnit:
    return WorkUnit(row.account_id, row.repository, row.item)


def _columns(unit: WorkUnit) -> dict[str, object]:
    return {"account_id": unit.account, "repository": unit.repository, "item": unit.item}


def _within(unit: WorkUnit) -> Q:
    condition = Q(account=unit.account)
    if unit.repository:
        condition &= Q(repository=unit.repository)
    if unit.item:
        condition &= Q(item=unit.item)
    return condition


def _label(unit: WorkUnit) -> str:
    if not unit.repository:
        return f"all of account {unit.account}"
    return f"{unit.item} in {unit.repository}" if unit.item else unit.repository
