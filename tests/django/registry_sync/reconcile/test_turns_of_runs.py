"""What a sync bounds: one account's thousand repositories, manifests and differences take nobody else's place."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, DropCounter, Person
from namespaces.models import RepositoryManifest
from registry_sync import leases, tasks
from registry_sync.client import RegistryClient, RepositoryTags
from registry_sync.inventory import retry_incomplete
from registry_sync.models import Drift, Marker, Repository, SyncRun
from registry_sync.operations.views.repositories import TROUBLED
from registry_sync.reconcile import drift, run, shards
from registry_sync.reconcile.planner import Plan
from registry_sync.reconcile.writer import StoredRepository
from tests import factories
from tests.cast import client_for
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
ABSENT = answer({"errors": [{"code": "NAME_UNKNOWN"}]}, status=404)


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    yield script
    script.stop()


def client(web: Scripted) -> RegistryClient:
    return RegistryClient(web.url, lambda *_scope: "token")


def repository(name: str, account: Account, **more: object) -> Repository:
    namespace, image = name.split("/")
    owned = factories.ImageFactory(namespace__name=namespace, namespace__account=account, name=image)
    made: Repository = Repository.objects.create(name=name, image=owned, **more)
    return made


@pytest.fixture
def loud() -> Account:
    account: Account = factories.AccountFactory(handle="loud")
    return account


@pytest.fixture
def quiet() -> Account:
    account: Account = factories.AccountFactory(handle="quiet")
    return account


def test_an_accounts_broken_repositories_are_not_read_before_all_others(
    loud: Account, quiet: Account
) -> None:
    viewed = repository("loud-0/app", loud, last_viewed_at=timezone.now())
    broken = [repository(f"loud-{n}/app", loud, problem="it could not be read", failures=1) for n in (1, 2)]
    plain = repository("quiet/app", quiet)
    run = SyncRun.objects.create()
    shards.create_shards(run)
    expected = [broken[0], plain, broken[1], viewed]
    assert run.shards.get().repositories == [each.pk for each in expected]


def found(run: SyncRun, name: str, many: int) -> None:
    read = RepositoryTags(name, digests={f"t{n}": "sha256:" + "0" * 64 for n in range(many)})
    known = StoredRepository(pk=1, image=1, version=1, newest_history_id=0, first_seen_at=timezone.now())
    events = drift.EventHistory.before(run)
    drift.record(run, read, known, Plan(add=list(read.digests)), events=events)


def test_a_flood_of_differences_leaves_room_for_those_of_others(settings: Any) -> None:
    settings.DRIFT_KEPT_PER_RUN = 50
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    run = SyncRun.objects.create()
    for name in ("loud/a", "loud/b", "quiet/app"):
        found(run, name, 60 if name.startswith("loud") else 3)
    assert Drift.objects.filter(repository="quiet/app").count() == 3
    assert Drift.objects.filter(repository__startswith="loud/").count() == 50
    assert DropCounter.objects.get(kind=DropCounter.Kind.DIFFERENCES).count == 2 * 60 - 50


def test_names_of_which_the_registry_says_nothing_keep_no_other_from_being_asked(web: Scripted) -> None:
    names = [f"loud/{n}" for n in range(2 * run.UNANSWERED_NAMESPACES_MAX)]
    for name in names:
        web.says[f"/v2/{name}/tags/list"] = answer("late", stall=True)
    web.says["/v2/quiet/app/tags/list"] = ABSENT
    with leases.hold(run.LEASE) as lease:
        assert lease
        assert run._confirmed_gone(web.client(read=0.1), [*names, "quiet/app"], lease) == {"quiet/app"}
    assert len(web.asked) == 2


def test_many_manifests_to_be_read_again_leave_room_for_those_of_others(
    web: Scripted, loud: Account, quiet: Account, settings: Any
) -> None:
    settings.RETRIED_AT_ONCE = 3
    last: dict[str, str] = {}
    for number, account in enumerate([loud] * 6 + [quiet]):
        image = factories.ImageFactory(namespace__account=account)
        due = timezone.now() - timedelta(hours=7 - number)
        seen = timezone.now() - timedelta(days=1)
        held = factories.RepositoryManifestFactory(image=image, due_at=due, first_seen_at=seen)
        last[account.handle] = held.manifest_id
    retry_incomplete.retry_due(client(web))
    put_off = set(
        RepositoryManifest.objects.filter(due_at__gt=timezone.now()).values_list("manifest_id", flat=True)
    )
    assert len(put_off) == 2  # the registry fails, so one of each is enough
    assert last["quiet"] in put_off


def test_the_operator_sees_some_of_each_namespace_that_cannot_be_read(operator: Person) -> None:
    for number in range(TROUBLED + 10):
        Repository.objects.create(name=f"loud/{number:03}", problem="it could not be read")
    Repository.objects.create(name="quiet/app", problem="it could not be read")
    browser: Client = client_for(operator)
    page = browser.get("/system/repositories/").content.decode()
    assert "quiet/app" in page
    assert f"{TROUBLED} of {TROUBLED + 11}, some of each namespace" in page


def test_who_presses_the_button_all_day_wipes_no_scheduled_run(settings: Any) -> None:
    settings.SYNC_RUNS_KEPT = 2
    scheduled = SyncRun.objects.create(state=SyncRun.State.DONE)
    for _each in range(5):
        SyncRun.objects.create(state=SyncRun.State.DONE, requested_by="somebody@example.com")
    tasks.housekeeping()
    assert SyncRun.objects.filter(pk=scheduled.pk).exists()
    assert SyncRun.objects.exclude(requested_by="schedule").count() == 2
