"""The rows of garbage collections, and what pages and the worker do meanwhile."""

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.models import AuditEvent, Person
from accounts.principal import SYSTEM
from namespaces.models import FormerManifest, RepositoryManifest
from registry_sync import leases, registry_probe, selectors, tasks
from registry_sync.models import Marker, Reclaim, Removal, Repository, SyncRun
from registry_sync.reclaim import runs
from registry_sync.reclaim.walk import Walked
from tests import factories, statements
from tests.cast import Cast, client_for

pytestmark = pytest.mark.django_db
State = Reclaim.State


def begun(state: Reclaim.State = State.READ_ONLY) -> Reclaim:
    row = runs.begin(by=SYSTEM, blobs=2, size_bytes=30, now=timezone.now())
    runs.advance(row, state, now=timezone.now())
    return row


def test_one_at_a_time() -> None:
    with runs.exclusive() as alive:
        alive()
        assert not Marker.objects.filter(name=Marker.COLLECTING).exists()
        alive.announcing = True
        alive()
        assert runs.is_under_way(timezone.now())
        with pytest.raises(runs.Busy), runs.exclusive():
            pass
    with runs.exclusive():
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_for_a_moment_breaks_nothing_off(error: type[Exception]) -> None:
    def fail() -> None:
        raise error("the connection is lost")

    with runs.exclusive() as alive:
        alive.announcing = True
        with statements.before('"registry_sync_lease"', fail):
            alive()
        assert not runs.is_under_way(timezone.now())
        alive()
        assert runs.is_under_way(timezone.now())


def test_what_is_done_is_written_down_audited_and_no_longer_announced() -> None:
    image = factories.ImageFactory()
    row = begun(State.CHECKING)
    gone = factories.RepositoryManifestFactory(image=image, gone_at=timezone.now())
    row.collected_at, row.freed_bytes = timezone.now(), 30
    assert runs.is_under_way(timezone.now())
    runs.finish(row, Walked(asked=9), by=SYSTEM, now=timezone.now())
    row.refresh_from_db()
    assert (row.state, row.missing, row.problem) == ("done", 0, "")
    assert not runs.is_under_way(timezone.now())
    event = AuditEvent.objects.get(action="registry.collected")
    assert (event.object, event.account_id) == ("freed 30 of 30 bytes, 0 missing", None)
    gone.refresh_from_db()
    assert gone.collected_at == row.collected_at


def test_what_was_not_collected_to_its_end_goes_on_waiting() -> None:
    gone = factories.RepositoryManifestFactory(gone_at=timezone.now())
    row = begun(State.COLLECTING)
    row.collected_at = timezone.now()
    found = Walked(asked=9, missing=1, named=["team/app@sha256:a"], unanswered=2, problem="no answer")
    runs.finish(row, found, by=SYSTEM, now=timezone.now(), whole=False)
    row.refresh_from_db()
    assert (row.missing, row.missing_named) == (1, ["team/app@sha256:a"])
    assert row.problem == "2 things were not answered for: no answer"
    runs.finish(row, Walked(unanswered=1, problem="no answer"), by=SYSTEM, now=timezone.now(), whole=False)
    assert row.problem == "1 thing was not answered for: no answer"
    gone.refresh_from_db()
    assert gone.collected_at is None
    runs.finish(row, Walked(asked=9), by=SYSTEM, now=timezone.now(), whole=False)
    row.refresh_from_db()
    assert row.problem == ""  # looked at again, and all was answered for


@pytest.mark.parametrize("state", Reclaim.OPEN)
def test_wherever_it_stops_it_says_what_stands(state: Reclaim.State) -> None:
    row = begun(state)
    runs.stop(row, "Why.", now=timezone.now())
    row.refresh_from_db()
    assert row.state == "stopped"
    assert row.problem == f"Why. {runs.STANDS[state]}"
    assert not runs.is_under_way(timezone.now())


def test_what_a_killed_command_left_is_stopped_by_the_next_and_soon_over_for_pages() -> None:
    left = begun(State.COLLECTING)
    assert runs.is_under_way(timezone.now())
    assert not runs.is_under_way(timezone.now() + runs.STEP_MAX)
    assert not runs.is_under_way(timezone.now() - runs.BY_HAND_MAX)  # a clock that went back: soon, too
    begun()
    left.refresh_from_db()
    assert left.state == "stopped"
    assert left.problem.startswith("The command ended by itself. Some of the space may be free")


def test_untagged_manifests_that_were_deleted_are_gone() -> None:
    image = factories.ImageFactory(name="app", namespace__name="team")
    Repository.objects.create(name="team/app", image=image)
    went, stays = (factories.RepositoryManifestFactory(image=image) for _each in range(2))
    elsewhere = factories.RepositoryManifestFactory(manifest=went.manifest)
    left = factories.ManifestFactory()
    for repository in ("none/none", "none/other"):
        FormerManifest.objects.create(account_id=1, repository=repository, manifest=left)
    now = timezone.now()
    untagged = [("team/app", went.manifest_id), ("none/none", stays.manifest_id), ("none/none", left.digest)]
    runs.note_untagged_gone(untagged, at=now)
    assert dict(FormerManifest.objects.values_list("repository", "gone_at")) == {
        "none/none": now,
        "none/other": None,
    }
    assert dict(RepositoryManifest.objects.values_list("pk", "gone_at")) == {
        went.pk: now,
        stays.pk: None,
        elsewhere.pk: None,
    }


def test_deletions_and_checks_wait_meanwhile(cast: Cast) -> None:
    """They would fail: the registry refuses the ones, and restarts under the others. It is asked nothing."""
    image = factories.ImageFactory(namespace__account=cast.account)
    removal = Removal.objects.create(image=image, kind="untag", requested_by="x")
    run = SyncRun.objects.create()
    row = begun()
    tasks.removals()
    tasks.reconcile()
    removal.refresh_from_db()
    run.refresh_from_db()
    assert (removal.state, removal.last_attempt_at, run.state) == ("waiting", None, "waiting")
    runs.stop(row, "Why.", now=timezone.now())
    tasks.removals()
    removal.refresh_from_db()
    assert removal.last_attempt_at


def test_while_pushes_are_waited_for_deletions_are_carried_out(cast: Cast) -> None:
    """Nothing is read-only yet, and the command waits for them, too."""
    image = factories.ImageFactory(namespace__account=cast.account)
    removal = Removal.objects.create(image=image, kind="untag", requested_by="x")
    row = begun(State.READ_ONLY)
    runs.advance(row, State.PREPARING, now=timezone.now())
    assert "read-only" not in cast.client("viewer").get("/a/team-red/users/").text
    tasks.removals()
    removal.refresh_from_db()
    assert removal.last_attempt_at


@pytest.mark.django_db(transaction=True)  # the lease is renewed by a thread
def test_while_pushes_are_waited_for_the_registry_is_checked(operator: Person) -> None:
    """Else the inventory would not be known to be true after a long push."""
    run = SyncRun.objects.create()
    with runs.exclusive():
        begun(State.PREPARING)
        tasks.reconcile()
        assert "Waiting for pushes to end" in client_for(operator).get("/system/").text
    run.refresh_from_db()
    assert run.started_at
    assert not runs.is_at_work(timezone.now())
    assert "ended before it was done" in client_for(operator).get("/system/").text


def test_pages_say_that_it_is_meant_instead_of_raising_alarms(cast: Cast, operator: Person) -> None:
    now = timezone.now()
    SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    Marker.objects.create(name=Marker.WORKER, at=now)
    registry_probe.record(Marker.REGISTRY_SILENT, now)
    row = begun(State.COLLECTING)
    for client, url in ((cast.client("viewer"), "/a/team-red/users/"), (client_for(operator), "/system/")):
        page = client.get(url).text
        assert "The registry is read-only for garbage collection" in page
        assert "not answering" not in page
    assert "Collecting garbage" in page
    assert selectors.freshness(now).state == "live"
    runs.stop(row, "Why.", now=now)
    page = client.get("/system/").text
    assert "not answering" in page
    assert "Why. Some of the space may be free already." in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "done", "missing": 0, "freed_bytes": 30}, ["nothing missing", "freed, as promised"]),
        (
            {"state": "done", "missing": 2, "missing_named": ["team/app@sha256:a"]},
            ["2 things", "team/app@sha256:a"],
        ),
        ({"state": "done", "missing": 1, "freed_bytes": 5}, ["1 thing that", "were promised"]),
        ({"state": "done", "missing": 0, "problem": "no answer"}, ["not checked to the end", "no answer"]),
        ({"state": "collecting"}, ["ended before it was done"]),
    ],
)
def test_system_shows_how_the_last_one_ended(
    operator: Person, values: dict[str, object], words: list[str]
) -> None:
    Reclaim.objects.create(requested_by="manage.py reclaim (ada)", promised_bytes=30, **values)
    page = client_for(operator).get("/system/").text
    for each in (*words, "manage.py reclaim (ada)"):
        assert each in page


def test_without_any_system_shows_none(operator: Person) -> None:
    assert "Last garbage collection" not in client_for(operator).get("/system/").text


def test_a_lease_that_was_lost_ends_it(kept_leases: None) -> None:
    with runs.exclusive() as alive:
        leases.Lease.objects.update(token=99)
        with pytest.raises(leases.LeaseLost):
            alive()
