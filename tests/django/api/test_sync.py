"""/sync/ and /accounts/{handle}/sync/"""

from datetime import datetime

from django.utils import timezone

from registry_sync import heartbeats
from registry_sync.models import Marker, SyncRun
from tests.cast import Cast
from tests.django.api.world import caller_of


def test_the_state_names_nobody_and_nothing_of_others(cast: Cast) -> None:
    SyncRun.objects.create(
        state="failed",
        requested_by="stranger@example.com",
        problem="theirs/secret: 500",
        finished_at=timezone.now(),
        repositories_total=3,
    )
    response = caller_of(cast, "viewer").get("sync/")
    shown = response.json()
    assert (shown["state"], shown["current_run"]) == ("failed", None)
    (run,) = shown["recent_runs"]
    assert set(run) == {"id", "state", "progress_percent", "requested_at", "started_at", "finished_at"}
    assert "stranger" not in response.content.decode()
    assert "theirs" not in response.content.decode()


def test_before_the_first_run(cast: Cast) -> None:
    assert caller_of(cast, "viewer").get("sync/").json() == {
        "state": "never",
        "last_event_at": None,
        "last_check_at": None,
        "current_run": None,
        "recent_runs": [],
    }


def test_what_the_state_rests_on(cast: Cast) -> None:
    now = timezone.now().replace(microsecond=0)
    SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    SyncRun.objects.create(state="failed", started_at=now, finished_at=now, problem="time-out")
    heartbeats.note(Marker.EVENTS, now)
    told = caller_of(cast, "viewer").get("sync/").json()
    assert told["state"] == "failed"
    assert datetime.fromisoformat(told["last_event_at"]) == now.replace(second=0)
    assert datetime.fromisoformat(told["last_check_at"]) == now


def test_asking_gives_the_run_that_waits(cast: Cast) -> None:
    first = caller_of(cast, "viewer").post("accounts/team-red/sync/")
    assert first.status_code == 202
    assert first.json()["state"] == "waiting"
    again = caller_of(cast, "owner").post("accounts/team-red/sync/")
    assert again.json()["id"] == first.json()["id"]
    assert SyncRun.objects.get().requested_by == "viewer@example.com"
    assert caller_of(cast, "owner").get("sync/").json()["current_run"]["id"] == first.json()["id"]


def test_a_stranger_and_a_get_ask_for_nothing(cast: Cast) -> None:
    assert caller_of(cast, "stranger").post("accounts/team-red/sync/").status_code == 404
    assert caller_of(cast, "owner").get("accounts/team-red/sync/").status_code == 405
    assert not SyncRun.objects.exists()
