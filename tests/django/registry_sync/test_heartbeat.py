"""Worker and schedule prove that they live; the doctor's wishes are done by whichever task comes."""

import importlib
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app
from celery.signals import task_prerun, worker_ready
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from psycopg.errors import AdminShutdown, UndefinedColumn

from accounts.common import clock
from manager.beat import Schedule
from registry_sync import heartbeats, leases, selectors, tasks
from registry_sync.doctor import runner
from registry_sync.models import DiagnosticRun, Drift, Lease, Marker, Shard, SyncRun
from tests import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def without_registry(settings: Any) -> None:
    """Nobody is there, and it shows at once."""
    settings.REGISTRY_URL = settings.PUBLIC_URL = "http://127.0.0.1:1"
    heartbeats.note(Marker.BEAT, timezone.now())


def test_any_task_proves_the_worker() -> None:
    for signal in (task_prerun, worker_ready):
        Marker.objects.all().delete()
        signal.send(sender=None)
        assert heartbeats.last(Marker.WORKER)


@pytest.mark.parametrize("cause", [AdminShutdown, UndefinedColumn])
def test_a_task_says_in_one_line_what_the_database_fails_for(
    caplog: pytest.LogCaptureFixture, cause: type[Exception]
) -> None:
    with statements.failing("outgoingmail", statements.caused_by(cause())):
        tasks.mails()
    (line,) = caplog.records
    assert "registry_sync.mails: the database fails" in line.getMessage()
    with pytest.raises(ZeroDivisionError), statements.failing("outgoingmail", ZeroDivisionError()):
        tasks.mails()


def test_a_worker_of_make_run_alone_starts_the_schedule() -> None:
    importlib.import_module("manager.standalone.worker")
    worker_ready.send(sender=None)
    assert "schedule" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.django_db(transaction=True)
def test_the_schedule_proves_itself_whether_the_database_answers_or_not(tmp_path: Path) -> None:
    schedule = Schedule(
        app=Celery("empty", set_as_current=False), schedule_filename=str(tmp_path / "schedule")
    )
    try:
        with lost():
            schedule.tick()
        assert heartbeats.last(Marker.BEAT) is None
        schedule.tick()
        assert heartbeats.last(Marker.BEAT)
    finally:
        schedule.close()


def lost() -> Any:
    def wrapper(*_arguments: Any) -> None:
        raise OperationalError("gone")

    return connection.execute_wrapper(wrapper)


def test_the_schedule_sends_the_pulse_and_drops_it_when_late() -> None:
    assert current_app.conf.beat_scheduler == f"{Schedule.__module__}:{Schedule.__name__}"
    entry = current_app.conf.beat_schedule["pulse"]
    assert entry["task"] == tasks.pulse.name
    assert entry["schedule"] == heartbeats.PULSE.total_seconds()
    assert entry["options"]["expires"] == (heartbeats.PULSE + clock.APART).total_seconds()


def test_a_heartbeat_is_not_written_for_each_task() -> None:
    first = timezone.now()
    heartbeats.note(Marker.WORKER, first, every=tasks.ALIVE)
    heartbeats.note(Marker.WORKER, first + tasks.ALIVE / 2, every=tasks.ALIVE)
    assert heartbeats.last(Marker.WORKER) == first


def states() -> list[str]:
    return [pulse.state for pulse in selectors.component_health(timezone.now())]


def test_a_long_task_lives_as_long_as_it_keeps_its_lease() -> None:
    now = timezone.now()
    long_ago = now - timedelta(minutes=20)
    for name in (Marker.WORKER, Marker.BEAT):
        heartbeats.note(name, long_ago)
    assert states() == ["unknown", "silent"]  # the schedule sends the worker nothing
    heartbeats.note(Marker.BEAT, now)
    assert states() == ["silent", "works"]
    leases.acquire("events", now)
    assert states() == ["works", "works"]
    run = SyncRun.objects.create(state="running", started_at=long_ago)
    Lease.objects.update(until=long_ago)
    shard = Shard.objects.create(run=run, number=0, lease_until=now + leases.LIFETIME)
    assert heartbeats.worker_at() == now
    shard.delete()
    assert states() == ["silent", "works"]


@pytest.mark.parametrize("task", [tasks.doctor, tasks.pulse])
def test_a_checkup_that_waits_is_done_once(task: Any, without_registry: None) -> None:
    row = DiagnosticRun.objects.create(requested_by="x")
    running = DiagnosticRun.objects.create(requested_by="y", state="running")
    task()
    task()
    row.refresh_from_db()
    running.refresh_from_db()
    assert (row.state, running.state) == ("done", "running")
    found = {each["key"]: each["state"] for each in row.results}
    assert (set(found), found["database"], found["registry"]) == (set(runner.TITLES), "ok", "fail")
    assert row.failed == list(found.values()).count("fail")
    assert row.finished_at


def test_a_check_that_breaks_is_a_failed_check(without_registry: None) -> None:
    with statements.failing('"registry_sync_marker"', ZeroDivisionError(), of=Marker.AUDIT_LOG_INTACT):
        found = {result.key: result.finding for result in runner.run_checks(timezone.now())}
    assert set(found) == set(runner.TITLES)
    assert "ZeroDivisionError" in found["audit_log"].text


def test_the_wrong_key_leaves_a_sign_for_the_doctor(client: Client) -> None:
    assert client.post("/registry/events", b"{}", content_type="application/json").status_code == 401
    at = heartbeats.last(Marker.REFUSED)
    assert at
    assert client.post("/registry/events", b"{}", content_type="application/json").status_code == 401
    assert heartbeats.last(Marker.REFUSED) == at
    cache.clear()
    client.post("/registry/events", b"{}", content_type="application/json")
    assert heartbeats.last(Marker.REFUSED) != at


def test_housekeeping_keeps_the_runs_that_prove_something(settings: Any) -> None:
    settings.SYNC_RUNS_KEPT = settings.DIAGNOSTIC_RUNS_KEPT = 1
    proof, old, plain, last = (SyncRun.objects.create(state="done") for _run in range(4))
    Drift.objects.create(run=proof, repository="team/app")
    Drift.objects.create(run=old, repository="x", found_at=timezone.now() - timedelta(days=31))
    kept = [DiagnosticRun.objects.create(requested_by="x", state="done") for _row in range(3)][-1:]
    tasks.housekeeping()
    assert set(SyncRun.objects.all()) == {proof, last}
    assert plain not in SyncRun.objects.all()
    assert list(DiagnosticRun.objects.all()) == kept


def test_one_is_booked_for_a_time_to_come() -> None:
    now = timezone.now()
    soon = now + timedelta(seconds=2)
    assert heartbeats.reserve("again", now, soon)
    assert not heartbeats.reserve("again", now, soon)
    assert not heartbeats.reserve("again", soon - timedelta(milliseconds=1), soon)
    assert heartbeats.reserve("again", soon, soon + timedelta(seconds=2))


def test_housekeeping_keeps_full_checks_beside_many_quick_passes(settings: Any) -> None:
    """Without one, nothing would count as read, and the next full check would begin at once, every time."""
    settings.SYNC_RUNS_KEPT = 2
    full = SyncRun.objects.create(state="done")
    quick = [SyncRun.objects.create(state="done", quick=True) for _run in range(5)]
    tasks.housekeeping()
    assert set(SyncRun.objects.all()) == {full, *quick[-2:]}
