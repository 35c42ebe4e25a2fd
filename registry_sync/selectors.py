"""How true the picture is, in words; and what the operator sees of the sync."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from registry_sync.models import Repository, SyncRun

_GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Freshness:
    """`state` is live, stale, failed or never; `running` the run under way or waiting, if there is one."""

    state: str
    text: str
    detail: str = ""
    running: SyncRun | None = None


def freshness(now: datetime) -> Freshness:
    """Green only for what a recent, complete run proved."""
    running = SyncRun.objects.filter(state__in=[SyncRun.State.RUNNING, SyncRun.State.WAITING]).first()
    ended = SyncRun.objects.exclude(finished_at=None)
    last, good = ended.first(), ended.filter(state=SyncRun.State.DONE).first()
    if not last:
        return Freshness("never", _("Not synced with the registry yet"), running=running)
    known = (
        _("last complete sync %(ago)s ago") % {"ago": _ago(good, now)} if good else _("no complete sync yet")
    )
    if last.state == SyncRun.State.FAILED:
        return Freshness("failed", _("The last sync failed: %(why)s") % {"why": last.problem}, known, running)
    if last.state == SyncRun.State.INCOMPLETE:
        return Freshness(
            "stale", _("Not everything could be read: %(why)s") % {"why": last.problem}, known, running
        )
    if last.finished_at and now - last.finished_at > 3 * timedelta(seconds=settings.SYNC_INTERVAL) + _GRACE:
        return Freshness("stale", _("No sync lately; is the worker running?"), known, running)
    return Freshness("live", _("In step with the registry"), known, running)


def runs() -> QuerySet[SyncRun]:
    return SyncRun.objects.order_by("-id")


def unclaimed() -> QuerySet[Repository]:
    """Repositories in the registry that belong to no namespace of any account."""
    return Repository.objects.filter(image=None).order_by("name")


def troubled() -> QuerySet[Repository]:
    return Repository.objects.exclude(problem="").order_by("name")


def _ago(run: SyncRun, now: datetime) -> str:
    assert run.finished_at
    seconds = int((now - run.finished_at).total_seconds())
    return _("%(count)s s") % {"count": max(seconds, 0)} if seconds < 60 else timesince(run.finished_at, now)  # noqa: PLR2004
