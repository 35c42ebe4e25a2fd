"""One at a time: whoever comes second, late or twice does nothing, and whoever died is succeeded."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone
from psycopg.errors import AdminShutdown, QueryCanceled, UndefinedColumn

from registry_sync import leases
from registry_sync.client import RegistryClient
from registry_sync.models import Repository, Shard, SyncRun
from registry_sync.reconcile import run as reconcile_run
from registry_sync.reconcile import shards
from registry_sync.reconcile.repositories import Counts
from tests import factories, statements
from tests.django.attacks.together import together
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
TAGS = 'FROM "namespaces_tag"'  # asked of what is known, before the registry is


@pytest.fixture
def run(settings: Any) -> SyncRun:
    """A run of two parts, with room for two workers."""
    settings.SYNC_SHARD_SIZE, settings.SYNC_CONCURRENCY = 1, 2
    for name in ("a", "b"):
        image = factories.ImageFactory(namespace__name=f"n{name}", name="app")
        Repository.objects.create(name=f"n{name}/app", image=image)
    made = SyncRun.objects.create(state=SyncRun.State.RUNNING, started_at=timezone.now())
    shards.create_shards(made)
    return made


def test_a_lease_has_one_holder_until_it_is_given_back_or_over() -> None:
    now = timezone.now()
    first = leases.acquire("it", now)
    assert first is not None
    assert leases.acquire("it", now) is None
    leases.release("it", first, now)
    second = leases.acquire("it", now)
    assert second is not None
    third = leases.acquire("it", now + leases.LIFETIME)  # the second one died
    assert third is not None
    assert first < second < third
    leases.renew("it", third, now)
    with pytest.raises(leases.LeaseLost):
        leases.renew("it", second, now)
    leases.release("it", second, now)  # too late, and nobody's now
    assert leases.acquire("it", now) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_it() -> None:
    now = timezone.now()
    got = together([lambda: leases.acquire("it", now)] * 4)
    assert sorted(each is None for each in got) == [False, True, True, True]


def test_a_part_has_one_reader_and_goes_to_another_when_that_died(run: SyncRun) -> None:
    first, second = next(shards.acquire_free(run)), next(shards.acquire_free(run))
    assert first.pk != second.pk
    assert list(shards.acquire_free(run)) == []
    Shard.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    again = next(shards.acquire_free(run))
    assert again.pk == first.pk
    with pytest.raises(leases.LeaseLost):
        shards.renew(first)
    with pytest.raises(leases.LeaseLost):
        shards.finish(first, Counts(repositories=1, changes=7))
    run.refresh_from_db()
    assert (run.repositories_done, run.changes) == (0, 0)
    shards.finish(again, Counts(repositories=1, changes=1))
    run.refresh_from_db()
    assert (run.repositories_done, run.changes) == (1, 1)
    with pytest.raises(leases.LeaseLost):
        shards.finish(again, Counts(repositories=1, changes=1))  # a message that came twice


def test_who_comes_while_a_catalog_is_read_does_nothing() -> None:
    assert leases.acquire(reconcile_run.LEASE, timezone.now()) is not None
    assert reconcile_run.reconcile(RegistryClient("http://127.0.0.1:1", lambda *_scope: "token")) is None
    assert not SyncRun.objects.exists()


def test_a_message_that_comes_after_an_hour_finds_nothing_due() -> None:
    now = timezone.now()
    SyncRun.objects.create(state=SyncRun.State.DONE, started_at=now, finished_at=now)
    assert (
        reconcile_run.reconcile(RegistryClient("http://127.0.0.1:1", lambda *_scope: "token"), when_due=True)
        is None
    )
    assert SyncRun.objects.count() == 1


def test_a_run_whose_worker_died_in_the_catalog_is_ended_and_the_next_one_begins() -> None:
    left = SyncRun.objects.create(state=SyncRun.State.RUNNING, started_at=timezone.now())
    run = reconcile_run.reconcile(RegistryClient("http://127.0.0.1:1", lambda *_scope: "token"))
    left.refresh_from_db()
    assert (left.state, left.problem) == (SyncRun.State.FAILED, "the worker stopped in the middle")
    assert run
    assert run.pk != left.pk


def test_a_part_that_fails_in_an_unknown_way_marks_its_repositories(run: SyncRun) -> None:
    """So that no rule takes their tags for certain."""
    with statements.failing(TAGS, ValueError()):
        reconcile_run.work(run, RegistryClient("http://127.0.0.1:1", lambda *_scope: "token"))
    run.refresh_from_db()
    assert (run.state, run.unreadable) == (SyncRun.State.INCOMPLETE, 2)
    assert Repository.objects.filter(problem="").count() == 0


def test_who_comes_when_there_is_nothing_to_read_takes_it_for_no_accident() -> None:
    web = ModelRegistry()
    registry = RegistryClient(web.url, lambda *_scope: "token")
    first = reconcile_run.begin(registry)
    reconcile_run.begin(registry)
    web.stop()
    assert first
    first.refresh_from_db()
    assert (first.state, first.problem) == (SyncRun.State.DONE, "")


def test_a_part_whose_statements_always_take_too_long_is_left_in_the_end(run: SyncRun) -> None:
    tries = 0
    while run.state == SyncRun.State.RUNNING and tries < 10:
        tries += 1
        with suppress(OperationalError), statements.failing(TAGS, statements.caused_by(QueryCanceled())):
            reconcile_run.work(run, RegistryClient("http://127.0.0.1:1", lambda *_scope: "token"))
        run.refresh_from_db()
    assert (run.state, run.unreadable) == (SyncRun.State.INCOMPLETE, 2)
    assert tries > reconcile_run.BUSY_ATTEMPTS_MAX  # a lock that passes keeps nothing from being read


@pytest.mark.parametrize("cause", [AdminShutdown, UndefinedColumn])
def test_without_a_database_no_part_is_left(run: SyncRun, cause: type[Exception]) -> None:
    Shard.objects.update(token=10)
    lost = statements.caused_by(cause())
    with pytest.raises(DatabaseError), statements.failing(TAGS, lost):
        reconcile_run.work(run, RegistryClient("http://127.0.0.1:1", lambda *_scope: "token"))
    assert not Repository.objects.exclude(problem="").exists()


def test_a_check_is_at_work_while_its_catalog_or_a_part_is_read(run: SyncRun) -> None:
    now = timezone.now()
    assert not reconcile_run.is_at_work(now)
    token = leases.acquire(reconcile_run.LEASE, now)
    assert token is not None
    assert reconcile_run.is_at_work(now)
    leases.release(reconcile_run.LEASE, token, now)
    assert not reconcile_run.is_at_work(now)
    shard = next(shards.acquire_free(run))
    assert reconcile_run.is_at_work(timezone.now())
    assert not reconcile_run.is_at_work(timezone.now() + leases.LIFETIME)  # its reader died
    shards.finish(shard, Counts())
    assert not reconcile_run.is_at_work(timezone.now())
