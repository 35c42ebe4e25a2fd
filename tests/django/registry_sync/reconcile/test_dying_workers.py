"""Workers die of what one account pushed: it costs five of them, and nobody else anything.

A dead worker gives no lease back and writes nothing more; here `Killed` passes through all that could.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import Account, Person
from namespaces.models import Tag
from registry_sync import quarantine, tasks
from registry_sync.client import FetchedManifest, RegistryClient, TagCrawler
from registry_sync.events import processor, views
from registry_sync.models import Event, Lease, QuarantinedWork, Repository, Shard, SyncRun, WorkerCrash
from registry_sync.reconcile import run as reconcile_run
from tests import factories, statements
from tests.cast import Cast, client_for
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


class Killed(BaseException):
    """SIGKILL."""


class DeadlyRegistry(ModelRegistry):
    """`deadly`: repositories, and digests, at whose manifests whoever reads them is killed."""

    def __init__(self) -> None:
        super().__init__()
        self.deadly: set[str] = set()


class MortalClient(RegistryClient):
    def __init__(self, web: DeadlyRegistry) -> None:
        super().__init__(web.url, lambda *_scope: "token")
        self.deadly = web.deadly

    def crawler(self, *, paced: bool = True) -> "MortalCrawler":
        return MortalCrawler(self)

    def manifest(self, repository: str, reference: str, *, known: str = "") -> FetchedManifest | None:
        if {repository, reference} & self.deadly:
            raise Killed
        return super().manifest(repository, reference, known=known)


class MortalCrawler(TagCrawler):
    def __init__(self, client: MortalClient) -> None:
        super().__init__(client.url, client.token_for)
        self.deadly = client.deadly

    def read_tags(self, known: Any, **options: Any) -> Any:
        if self.deadly & set(known):
            raise Killed
        return super().read_tags(known, **options)


@pytest.fixture
def web() -> Iterator[DeadlyRegistry]:
    registry = DeadlyRegistry()
    yield registry
    registry.stop()


@pytest.fixture
def deadly(web: DeadlyRegistry, kept_leases: None) -> set[str]:
    return web.deadly


@pytest.fixture
def loud() -> Account:
    account: Account = factories.AccountFactory(handle="loud")
    for name in ("loud", "loud-2"):
        factories.NamespaceFactory(name=name, account=account)
    return account


@pytest.fixture
def quiet() -> Account:
    account: Account = factories.AccountFactory(handle="quiet")
    factories.NamespaceFactory(name="quiet", account=account)
    return account


def push(web: DeadlyRegistry, repository: str, tag: str) -> str:
    blob = Blob(KIND, json.dumps({"of": f"{repository}:{tag}"}).encode())
    web.push(repository, tag, KIND, blob.digest, blob.content)
    return blob.digest


def told(web: DeadlyRegistry, repository: str, tag: str) -> str:
    digest = push(web, repository, tag)
    target = {"mediaType": KIND, "repository": repository, "tag": tag, "digest": digest}
    event = {"id": f"{repository}-{tag}", "action": "push", "target": target}
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    return digest


def client(web: DeadlyRegistry) -> RegistryClient:
    return MortalClient(web)


def later() -> None:
    """So that leases are over, and what was put off is due."""
    Lease.objects.update(until=timezone.now())
    Shard.objects.exclude(lease_until=None).update(lease_until=timezone.now())
    WorkerCrash.objects.update(at=F("at") - timedelta(minutes=1))
    Event.objects.exclude(due_at=None).update(due_at=timezone.now())


def applied(web: DeadlyRegistry, most: int = 50) -> int:
    """Until nothing is due: how many died."""
    deaths = 0
    for _each in range(most):
        try:
            processor.process_due(client(web))
        except Killed:
            deaths += 1
        later()
        if not Event.objects.filter(due_at__lte=timezone.now()).exists():
            return deaths
    raise AssertionError(f"{deaths} deaths, and no end")


def test_a_thousand_deadly_pushes_cost_five_workers_and_nobody_elses_push_waits(
    web: DeadlyRegistry, deadly: set[str], loud: Account, quiet: Account
) -> None:
    for number in range(60):
        deadly.add(told(web, f"loud{'-2' * (number % 2)}/{number % 7}", str(number)))
    told(web, "quiet/app", "1")
    with pytest.raises(Killed):
        processor.process_due(client(web))
    later()
    with pytest.raises(Killed):
        processor.process_due(client(web))
    assert Tag.objects.get().name == "1"  # after the first death its account was last
    later()
    assert 2 + applied(web) == 5
    assert QuarantinedWork.objects.get().account == loud
    assert Event.objects.filter(problem=quarantine.PROBLEM, due_at=None).count() == 60
    told(web, "loud/good", "new")
    told(web, "quiet/app", "2")
    assert applied(web) == 0
    assert set(Tag.objects.values_list("name", flat=True)) == {"1", "2"}


def test_one_deadly_push_is_set_aside_alone(web: DeadlyRegistry, deadly: set[str], loud: Account) -> None:
    digest = told(web, "loud/app", "bad")
    deadly.add(digest)
    told(web, "loud/app", "good")
    told(web, "loud/other", "good")
    assert applied(web) == 5
    assert Tag.objects.filter(name="good").count() == 2
    row = QuarantinedWork.objects.get()
    assert (row.repository, row.item, row.crash_count) == ("loud/app", digest, 5)
    bad = Event.objects.get(tag="bad")
    assert (bad.due_at, bad.problem) == (None, quarantine.PROBLEM)


def test_what_a_worker_was_killed_at_by_chance_is_done_by_the_next(
    web: DeadlyRegistry, deadly: set[str], loud: Account
) -> None:
    for number in range(8):
        deadly.add(told(web, "loud/app", str(number)))
        with pytest.raises(Killed):
            processor.process_due(client(web))
        assert Lease.objects.get().current_work
        deadly.clear()
        later()
        assert applied(web) == 0
    assert Tag.objects.count() == 8
    assert not WorkerCrash.objects.exists()
    assert not QuarantinedWork.objects.exists()


def test_an_attempt_is_written_down_before_it_begins_and_off_with_what_came_of_it(
    web: DeadlyRegistry, deadly: set[str], loud: Account
) -> None:
    told(web, "loud/app", "1")
    assert applied(web) == 0
    assert Lease.objects.get().current_work == ""  # a worker that is killed now died of nothing


def test_an_operator_has_it_tried_again(
    web: DeadlyRegistry, deadly: set[str], loud: Account, operator: Person
) -> None:
    deadly.add(told(web, "loud/app", "bad"))
    assert applied(web) == 5
    deadly.clear()
    browser = client_for(operator)
    page = browser.get("/system/").content.decode()
    assert "loud/app" in page
    assert "5 crashes" in page
    row = QuarantinedWork.objects.get()
    assert f"{row} will be retried." in browser.post(f"/system/quarantine/{row.pk}/retry/", follow=True).text
    assert applied(web) == 0
    assert Tag.objects.get().name == "bad"
    assert "loud/app" not in browser.get("/system/").content.decode()


def test_that_not_all_that_is_set_aside_is_shown_is_said(loud: Account, operator: Person) -> None:
    QuarantinedWork.objects.bulk_create(
        QuarantinedWork(account=loud, repository=f"loud/{number}") for number in range(101)
    )
    browser = client_for(operator)
    assert "The newest 100 of 101" in browser.get("/system/").text
    QuarantinedWork.objects.filter(repository="loud/0").delete()
    assert "The newest 100 of" not in browser.get("/system/").text


def test_nobody_else_has_it_tried_again(loud: Account, cast: Cast) -> None:
    row = QuarantinedWork.objects.create(account=loud, repository="loud/app")
    assert cast.client("stranger").post(f"/system/quarantine/{row.pk}/retry/").status_code == 404
    assert QuarantinedWork.objects.exists()


def test_after_a_day_it_is_tried_again_by_itself(loud: Account) -> None:
    long_ago = timezone.now() - quarantine.RETRY_AFTER - timedelta(hours=1)
    QuarantinedWork.objects.create(account=loud, repository="loud/old", quarantined_at=long_ago)
    QuarantinedWork.objects.create(
        account=loud, quarantined_at=timezone.now() - quarantine.RETRY_ACCOUNT_AFTER
    )
    left = Event.objects.create(event_id="1", repository="loud/old", problem=quarantine.PROBLEM, due_at=None)
    new = QuarantinedWork.objects.create(account=loud, repository="loud/app")
    WorkerCrash.objects.create(account=loud, at=long_ago)
    tasks.housekeeping()
    assert list(QuarantinedWork.objects.all()) == [new]
    left.refresh_from_db()
    assert left.due_at
    assert not WorkerCrash.objects.exists()


def repositories(web: DeadlyRegistry, account: Account, namespace: str, many: int) -> list[str]:
    names = [f"{namespace}/{number}" for number in range(many)]
    for name in names:
        push(web, name, "1")
        image = factories.ImageFactory(
            namespace=account.namespaces.get(name=namespace), name=name.split("/")[1]
        )
        Repository.objects.create(name=name, image=image)
    return names


def checked(web: DeadlyRegistry, most: int = 50) -> tuple[SyncRun, int]:
    """A whole run, and how many died in it."""
    deaths = 0
    for _each in range(most):
        later()
        try:
            run = reconcile_run.reconcile(client(web))
        except Killed:
            deaths += 1
        else:
            assert run
            run.refresh_from_db()
            if run.finished_at:
                return run, deaths
    raise AssertionError(f"{deaths} deaths, and no end")


def test_a_run_finds_out_which_repository_workers_die_of(
    web: DeadlyRegistry, deadly: set[str], loud: Account, quiet: Account
) -> None:
    bad = repositories(web, loud, "loud", 30)[17]
    repositories(web, quiet, "quiet", 5)
    deadly.add(bad)
    run, deaths = checked(web)
    assert (run.state, run.repositories_done) == (SyncRun.State.DONE, 35)
    assert deaths == 6  # one of them in a part that was not of one account
    assert Tag.objects.count() == 34
    assert list(Repository.objects.exclude(problem="").values_list("name", "problem")) == [
        (bad, quarantine.PROBLEM)
    ]
    assert [str(row) for row in QuarantinedWork.objects.all()] == [bad]
    assert not WorkerCrash.objects.exists()
    run, deaths = checked(web)
    assert (run.state, deaths) == (SyncRun.State.DONE, 0)
    deadly.clear()
    QuarantinedWork.objects.all().delete()
    checked(web)
    assert not Repository.objects.exclude(problem="").exists()


def test_a_thousand_deadly_repositories_cost_a_run_no_more(
    web: DeadlyRegistry, deadly: set[str], loud: Account, quiet: Account
) -> None:
    deadly.update(repositories(web, loud, "loud", 60))
    repositories(web, quiet, "quiet", 5)
    run, deaths = checked(web)
    assert run.state == SyncRun.State.DONE
    assert deaths <= 9
    assert Tag.objects.count() == 5
    assert QuarantinedWork.objects.filter(account=loud, repository="").exists()


def test_a_run_that_is_killed_by_chance_sets_nothing_aside(
    web: DeadlyRegistry, deadly: set[str], loud: Account, settings: Any
) -> None:
    settings.SYNC_SHARD_SIZE = 4
    names = repositories(web, loud, "loud", 28)
    for name in names[::4]:
        deadly.add(name)
        with pytest.raises(Killed):
            reconcile_run.reconcile(client(web))
        deadly.clear()
        later()
    run, deaths = checked(web)
    assert (run.state, deaths) == (SyncRun.State.DONE, 0)
    assert Tag.objects.count() == 28
    assert not QuarantinedWork.objects.exists()
    assert not WorkerCrash.objects.exists()


def test_one_exception_marks_one_repository(web: DeadlyRegistry, loud: Account) -> None:
    bad = repositories(web, loud, "loud", 7)[3]
    with statements.failing('INSERT INTO "namespaces_tag"', ValueError(), of=push(web, bad, "1.0")):
        run = reconcile_run.reconcile(client(web))
    assert run
    assert (run.state, run.unreadable, run.repositories_done) == (SyncRun.State.DONE, 1, 7)
    assert list(Repository.objects.exclude(problem="").values_list("name", flat=True)) == [bad]
    assert Tag.objects.count() == 6
