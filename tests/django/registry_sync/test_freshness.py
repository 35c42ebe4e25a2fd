"""The freshness line: what it says of runs, events and differences, and its bar while a run is under way."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from registry_sync import heartbeats, leases, selectors
from registry_sync.freshness import Reason
from registry_sync.last_viewed import image_views
from registry_sync.models import Drift, Event, Marker, Repository, SyncRun
from registry_sync.reconcile import shards
from tests import factories
from tests.cast import Cast, client_for

pytestmark = pytest.mark.django_db


def ended(state: str = "done", seconds: float = 3, **more: Any) -> SyncRun:
    now = timezone.now()
    begun, over = now - timedelta(seconds=seconds + 1), now - timedelta(seconds=seconds)
    return SyncRun.objects.create(state=state, started_at=begun, finished_at=over, **more)


def told(seconds: float = 4) -> None:
    heartbeats.note(Marker.EVENTS, timezone.now() - timedelta(seconds=seconds))


def line() -> str:
    found = selectors.freshness(timezone.now(), exact=True)
    parts = [
        ", ".join(filter(None, [part.text, "…" if part.moment else "", part.after])) for part in found.parts
    ]
    return " · ".join([f"{found.state}: {found.text}", *parts])


def test_before_anything() -> None:
    assert line() == "never: Not synced with the registry yet"


def test_events_and_checks_agree() -> None:
    ended()
    told()
    assert line() == "live: Live · last event, … · last full check, …, no differences"


@pytest.mark.parametrize("took", [641, 1])
def test_one_check_that_took_long_hides_no_silence(took: float) -> None:
    """A first load, or a check that hung: what the next one will cost is what counts."""
    for seconds in (9000, 8000, 7000):
        ended(seconds=seconds)
    now = timezone.now()
    over = now - timedelta(seconds=600)
    SyncRun.objects.create(state="done", started_at=over - timedelta(seconds=took), finished_at=over)
    assert selectors.freshness(now).reason is Reason.OVERDUE


def test_what_takes_long_each_time_is_given_its_rest() -> None:
    now = timezone.now()
    for hours in (60, 40, 20):
        over = now - timedelta(hours=hours)
        SyncRun.objects.create(state="done", started_at=over - timedelta(hours=1), finished_at=over)
    assert selectors.freshness(now).reason is Reason.NO_EVENTS


def test_differences_are_counted() -> None:
    told()
    Drift.objects.create(run=ended(), repository="team/app", tag="1.0")
    assert line() == "stale: Some events were missed · last event, … · last full check, …, 1 difference found"
    ended(seconds=1)  # and the next check agrees again
    assert line().startswith("live: Live")


def test_events_are_silent_although_pushes_happened() -> None:
    told(seconds=3 * 3600)
    run = ended(seconds=600)
    Drift.objects.create(
        run=run, repository="team/app", tag="1.0", found_at=timezone.now() - timedelta(seconds=600)
    )
    ended()
    found = selectors.freshness(timezone.now())
    assert (found.state, found.reason) == ("stale", Reason.EVENTS_MISSING)
    told(seconds=1)  # they come again
    assert selectors.freshness(timezone.now()).state == "live"


def test_events_that_nobody_applies_are_no_news(settings: Any) -> None:
    """Full checks may be days apart, and the door takes events without any worker."""
    settings.SYNC_INTERVAL_SECONDS = 86400
    told()
    ended()
    now = timezone.now()
    waits = Event.objects.create(event_id="1", due_at=now - timedelta(seconds=90))
    assert line().startswith("stale: Events are not being applied; is the worker running? · last event, …")
    Event.objects.update(applied_at=now)  # to be confirmed, and the registry is slow
    assert line().startswith("live: Live")
    later = now + timedelta(minutes=5)  # it failed, and is tried again
    Event.objects.filter(pk=waits.pk).update(applied_at=None, due_at=later)
    assert line().startswith("live: Live")


def test_a_dead_worker_puts_out_the_light(settings: Any) -> None:
    settings.SYNC_INTERVAL_SECONDS = 86400
    ended(seconds=600)
    now = timezone.now()
    heartbeats.note(Marker.WORKER, now - heartbeats.SILENT_AFTER + timedelta(minutes=1))
    assert line().startswith("live: ")
    Marker.objects.update(at=now - heartbeats.SILENT_AFTER - timedelta(seconds=5))
    assert line().startswith("stale: Worker or schedule is not responding: nothing is read from the registry")
    leases.acquire("events", now)  # it is busy with a long task
    assert line().startswith("live: ")


def test_a_registry_that_tells_nothing(settings: Any) -> None:
    settings.SYNC_INTERVAL_SECONDS = 10
    ended()
    assert line() == "live: No events: the panel asks the registry every 10 s · last full check, …"


def test_the_last_good_check_is_said_when_later_ones_failed() -> None:
    ended(seconds=50)
    for _many in range(selectors.RECENT_RUNS + 1):
        ended("failed", problem="no answer")
    assert line() == "failed: The last sync failed · last full check, …"


@pytest.mark.parametrize(
    ("state", "words"), [("failed", "The last sync failed"), ("incomplete", "Not everything could be read")]
)
def test_why_it_failed_is_for_operators(cast: Cast, operator: Person, state: str, words: str) -> None:
    ended(state, problem="other-team/app: no answer from 10.0.0.7")
    for browser, sees in ((client_for(operator), True), (cast.client("owner"), False)):
        text = browser.get("/freshness/").content.decode()
        assert ("10.0.0.7" in text) is sees
        assert words in text


def test_held_names_no_numbers_of_others(cast: Cast) -> None:
    ended("needs_approval", problem="60 of 100 repositories are no longer in the registry")
    text = cast.client("viewer").get("/a/team-red/images/").content.decode()
    assert "60 of 100" not in text
    assert selectors.freshness(timezone.now()).state == "needs_approval"


def test_it_costs_few_statements(django_assert_max_num_queries: Any) -> None:
    told()
    ended()
    SyncRun.objects.create(state="running", started_at=timezone.now())
    with django_assert_max_num_queries(6):
        selectors.freshness(timezone.now())


def test_who_runs_nothing_hears_no_counts_and_of_the_last_event_the_minute(
    cast: Cast, operator: Person
) -> None:
    """Asked each second, the exact moment would tell every push of all other tenants."""
    told()
    factories.NamespaceFactory(account=cast.account, name="team")
    Drift.objects.create(run=ended(), repository="team/app", tag="1.0")
    event_at = Marker.objects.get(name=Marker.EVENTS).at
    minute = event_at.replace(second=0, microsecond=0)
    for browser, at, words in (
        (client_for(operator), event_at, "1 difference found"),
        (cast.client("owner"), minute, "differences found"),
    ):
        text = browser.get("/freshness/").content.decode()
        assert f'datetime="{at.isoformat()}"' in text
        assert words in text
        assert ("1 difference" in text) is (at == event_at)
        found = browser.get("/api/v1/sync/").json()["last_event_at"]
        assert datetime.fromisoformat(found) == at


def test_what_is_anothers_puts_out_no_light_here(cast: Cast) -> None:
    """Neither differences, nor events that wait, nor what could not be read."""
    told()
    now, run = timezone.now(), ended()
    names = ("mine", "theirs")
    factories.NamespaceFactory(name=names[1])
    factories.NamespaceFactory(account=cast.account, name=names[0])

    def words() -> str:
        return cast.client("viewer").get("/a/team-red/images/").text

    for name in reversed(names):
        Drift.objects.create(run=run, repository=f"{name}/app", tag="1.0")
        assert ("Some events were missed" in words()) is (name == "mine")
    Drift.objects.all().delete()
    for name in reversed(names):
        late = now - timedelta(seconds=90)
        Event.objects.create(event_id=name, repository=f"{name}/app", namespace=name, due_at=late)
        assert ("Events are not being applied" in words()) is (name == "mine")


def test_a_run_under_way_has_a_bar_that_asks_for_itself(cast: Cast, operator: Person) -> None:
    now = timezone.now()
    run = SyncRun.objects.create(
        state="running", started_at=now - timedelta(minutes=5), heartbeat_at=now, repositories_total=4000,
        repositories_done=1000, requests=12345, changes=1,
    )  # fmt: skip
    counts = ("1,000 of 4,000 repositories", "12,345 requests", "1 change")
    for client, exact in ((client_for(operator), True), (cast.client("viewer"), False)):
        text = client.get("/freshness/").content.decode()
        assert 'hx-get="/freshness/?live=' in text
        assert 'max="100" value="25"' in text
        assert "about 15 min left" in text
        assert ("25 % read" in text) is not exact
        assert [words in text for words in counts] == [exact] * 3
    SyncRun.objects.filter(pk=run.pk).update(repositories_total=1, repositories_done=0)
    assert "0 of 1 repository\n" in client_for(operator).get("/freshness/").content.decode()
    SyncRun.objects.filter(pk=run.pk).update(state="done", finished_at=now)
    text = client.get("/freshness/").content.decode()
    assert "data-live" not in text
    assert "progress" not in text


def test_a_run_that_waits_or_fell_silent_says_so(cast: Cast) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    run = SyncRun.objects.create(state="running", started_at=long_ago, heartbeat_at=long_ago)
    client = cast.client("viewer")
    assert "The worker is not responding" in client.get("/freshness/").content.decode()
    SyncRun.objects.filter(pk=run.pk).update(state="waiting", started_at=None)
    assert "A sync is waiting for the worker" in client.get("/freshness/").content.decode()
    SyncRun.objects.filter(pk=run.pk).update(requested_at=long_ago)
    assert "Is the worker running?" in client.get("/freshness/").content.decode()


def test_nobody_reads_the_line_unsigned(client: Client) -> None:
    assert client.get("/freshness/").status_code == 302


def test_only_operators_are_led_to_the_doctor(cast: Cast, operator: Any) -> None:
    ended("failed", problem="no")
    assert "/system/doctor/" not in cast.client("owner").get("/freshness/").content.decode()
    assert "/system/doctor/" in client_for(operator).get("/freshness/").content.decode()


def test_unassigned_hides_the_doctors_own_and_groups_the_rest() -> None:
    for name in ("registry-manager/doctor", "old/a", "old/b/c", "nginx", "older/x"):
        Repository.objects.create(name=name)
    groups = [(group.first, group.repositories) for group in selectors.unassigned_groups()]
    assert groups == [("nginx", 1), ("old", 2), ("older", 1)]
    assert [group.first for group in selectors.unassigned_groups(after="nginx", most=1)] == ["old"]
    assert [row.name for row in selectors.unassigned("old")] == ["old/a", "old/b/c"]
    assert [row.name for row in selectors.unassigned("nginx")] == ["nginx"]


def test_an_image_that_is_looked_at_is_read_first(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="seen")
    rows = [
        Repository.objects.create(
            name=f"seen/{name}", image=factories.ImageFactory(namespace=namespace, name=name)
        )
        for name in ("a", "b")
    ]
    cast.client("viewer").get("/a/team-red/n/seen/i/b/")
    cast.client("stranger").get("/a/team-red/n/seen/i/a/")
    image_views.write()
    run = SyncRun.objects.create(state=SyncRun.State.RUNNING)
    shards.create_shards(run)
    assert run.shards.get().repositories == [rows[1].pk, rows[0].pk]


def test_an_image_says_what_of_it_could_not_be_read(cast: Cast) -> None:
    image = factories.TagFactory(image__namespace__account=cast.account, image__name="deep/app").image
    row = Repository.objects.create(
        name=image.repository, image=image, problem="1 of its tags could not be read"
    )
    SyncRun.objects.create(state=SyncRun.State.INCOMPLETE)
    viewer, address = cast.client("viewer"), image.get_absolute_url()
    assert "1 of its tags could not be read" in viewer.get(address).content.decode()
    Repository.objects.filter(pk=row.pk).update(problem="")
    assert "could not be read" not in viewer.get(address).content.decode()
