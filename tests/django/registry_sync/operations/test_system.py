"""The operator's pages: the operator sees all of it, and for everybody else nothing is there."""

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.common import time_zones
from accounts.models import AuditEvent, Person
from namespaces.models import CatalogRead, Image, Namespace, ReservedName, Usage
from registry_sync import heartbeats, selectors, tasks
from registry_sync.models import DiagnosticRun, Drift, Event, Marker, Repository, SyncRun
from registry_sync.reconcile.writer import assign_all
from tests import factories
from tests.cast import Cast, client_for

PAGES = ["", "doctor/", "events/", "events/?state=failed", "differences/", "repositories/", "repositories/old/",
         "issuers/", "settings/"]  # fmt: skip


@pytest.fixture
def browser(operator: Person) -> Client:
    return client_for(operator)


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    now = timezone.now()
    event = Event.objects.create(
        event_id="1", action="push", repository="old/app", tag="1.0", problem="no <answer>", attempts=20,
        due_at=None, raw='{"x": "<script>"}' + "y" * 10_000,
    )  # fmt: skip
    held = SyncRun.objects.create(
        state="needs_approval",
        started_at=now,
        finished_at=now,
        problem="60 of 100 are no longer in the registry",
    )
    Drift.objects.create(run=held, repository="old/app", tag="1.0", new="sha256:" + "a" * 64)
    for name in ("old/app", "old/deep/web", "nginx", "library/redis"):
        Repository.objects.create(name=name)
    assign_all()
    return {"event": event, "held": held}


def posts(world: dict[str, Any]) -> list[str]:
    return ["", "doctor/", "events/retry/", f"events/{world['event'].pk}/retry/",
            f"runs/{world['held'].pk}/approve/", "repositories/old/", "repositories/old/release/"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_the_operator_reads_every_page(browser: Client, world: dict[str, Any], page: str) -> None:
    assert browser.get(f"/system/{page}").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_are_there_when_there_is_nothing(browser: Client, page: str) -> None:
    assert browser.get(f"/system/{page}").status_code == (404 if "old" in page else 200)


@pytest.mark.parametrize("who", ["owner", "manager", "viewer", "stranger"])
def test_for_all_others_nothing_is_there(cast: Cast, world: dict[str, Any], who: str) -> None:
    client = cast.client(who)
    for page in PAGES:
        assert client.get(f"/system/{page}").status_code == 404
    for page in posts(world):
        assert (
            client.post(f"/system/{page}", {"confirm": "approve deletion", "handle": "team-red"}).status_code
            == 404
        )
    assert not SyncRun.objects.exclude(pk=world["held"].pk).exists()
    assert not Namespace.objects.exists()
    assert not DiagnosticRun.objects.exists()


def test_nobody_is_asked_to_sign_in(client: Client, world: dict[str, Any]) -> None:
    for page in PAGES:
        assert client.get(f"/system/{page}").status_code == 302


def test_what_only_posts_does_not_get(browser: Client, world: dict[str, Any]) -> None:
    for page in (
        "events/retry/",
        f"events/{world['event'].pk}/retry/",
        f"runs/{world['held'].pk}/approve/",
        "repositories/old/release/",
    ):
        assert browser.get(f"/system/{page}").status_code == 405


# Overview ---------------------------------------------------------------------------------------------


def test_sync_now_asks_once(browser: Client) -> None:
    browser.post("/system/")
    browser.post("/system/")
    assert SyncRun.objects.get().requested_by == "operator@example.com"


def test_a_held_run_is_let_go_by_typing_it(browser: Client, world: dict[str, Any]) -> None:
    url = f"/system/runs/{world['held'].pk}/approve/"
    assert "60 of 100" in browser.get("/system/").content.decode()
    refused = browser.post(url, {"confirm": "yes"})
    assert refused.status_code == 400
    assert "to confirm" in refused.content.decode()
    assert not SyncRun.objects.filter(deletions_approved=True).exists()
    for _twice in range(2):
        assert browser.post(url, {"confirm": " approve deletion "}).status_code == 302
    assert "Approved: the next sync" in browser.get("/system/").content.decode()
    agreed = SyncRun.objects.get(deletions_approved=True)
    assert (agreed.state, agreed.requested_by) == ("waiting", "operator@example.com")
    trail = AuditEvent.objects.get(action="sync.let_go")
    assert (trail.actor, trail.object) == ("operator@example.com", world["held"].problem)


def test_what_was_overtaken_cannot_be_let_go(browser: Client, world: dict[str, Any]) -> None:
    now = timezone.now()
    SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    answer = browser.post(f"/system/runs/{world['held'].pk}/approve/", {"confirm": "approve deletion"})
    assert answer.status_code == 404
    assert not SyncRun.objects.filter(deletions_approved=True).exists()


def test_a_run_that_is_held_again_meanwhile_can_be_let_go(browser: Client, world: dict[str, Any]) -> None:
    """The next comes in seconds, and who types takes longer."""
    held = world["held"]
    for _twice in range(2):
        again = SyncRun.objects.create(
            state="needs_approval",
            started_at=held.started_at,
            finished_at=held.finished_at,
            problem=held.problem,
        )
    url = f"/system/runs/{held.pk}/approve/"
    SyncRun.objects.filter(pk=again.pk).update(problem="90 of 100 are no longer in the registry")
    assert browser.post(url, {"confirm": "approve deletion"}).status_code == 404
    SyncRun.objects.filter(pk=again.pk).update(problem=held.problem)
    assert browser.post(url, {"confirm": "approve deletion"}).status_code == 302


def test_runs_held_one_after_the_other_are_one_line(browser: Client, world: dict[str, Any]) -> None:
    now = timezone.now()
    done = SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    held = [
        SyncRun.objects.create(state="needs_approval", started_at=now, finished_at=now) for _each in range(5)
    ]
    asked = SyncRun.objects.create(state="needs_approval", requested_by="ada@example.com", finished_at=now)
    shown = [asked, held[-1], done, world["held"]]
    assert list(selectors.runs()) == [asked, done, world["held"]]
    SyncRun.objects.filter(pk=asked.pk).delete()
    assert list(selectors.runs()) == shown[1:]
    tasks.housekeeping()
    assert SyncRun.objects.count() == 7
    SyncRun.objects.update(finished_at=now - tasks.APPROVAL_RUNS_KEPT - timedelta(seconds=1))
    tasks.housekeeping()
    assert list(SyncRun.objects.all()) == shown[1:]


def test_what_lives_is_said(browser: Client) -> None:
    assert browser.get("/system/").content.decode().count("never seen") == 2
    heartbeats.note(Marker.WORKER, timezone.now())
    heartbeats.note(Marker.BEAT, timezone.now() - timedelta(minutes=10))
    text = re.sub(r">\s+", ">", browser.get("/system/").content.decode())
    assert '<span class="state state-good">alive' in text
    assert '<span class="state state-bad">not responding' in text


# Events -----------------------------------------------------------------------------------------------


def test_an_event_is_shown_bounded_and_as_text(browser: Client, world: dict[str, Any]) -> None:
    text = browser.get("/system/events/").content.decode()
    assert "no &lt;answer&gt;" in text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text.split("<main")[1]
    assert "y" * 3900 in text
    assert "y" * 4001 not in text


def test_events_by_state_and_by_page(browser: Client, world: dict[str, Any]) -> None:
    Event.objects.bulk_create(
        Event(event_id=f"a{number}", action="pull", due_at=None, repository=f"p/{number}")
        for number in range(120)
    )
    Event.objects.create(event_id="w", action="delete", repository="waits/here")

    def shown(query: str) -> list[str]:
        return [event.repository for event in browser.get(f"/system/events/?{query}").context["page"].rows]

    assert shown("state=failed") == ["old/app"]
    assert shown("state=waiting") == ["waits/here"]
    assert len(shown("state=applied")) == 50
    assert len(shown("state=nonsense")) == 50
    second = browser.get("/system/events/?state=applied").context["page"].next_url
    assert shown(second.lstrip("?"))[0] == "p/69"


def test_one_or_all_failed_events_are_tried_again(browser: Client, world: dict[str, Any]) -> None:
    other = Event.objects.create(event_id="2", problem="no", attempts=3)
    done = Event.objects.create(event_id="3", due_at=None)
    browser.post(f"/system/events/{world['event'].pk}/retry/")
    world["event"].refresh_from_db()
    assert (world["event"].attempts, world["event"].due_at is None) == (0, False)
    browser.post("/system/events/retry/")
    for row in (other, done):
        row.refresh_from_db()
    assert (other.attempts, done.due_at) == (0, None)
    assert AuditEvent.objects.filter(action="event.retried").count() == 2
    assert browser.post("/system/events/99999999999999999999/retry/").status_code == 404


# Giving -----------------------------------------------------------------------------------------------


def give(browser: Client, handle: str, first: str = "old") -> Any:
    return browser.post(f"/system/repositories/{first}/", {"handle": handle})


def test_what_is_unassigned_is_given_to_an_account(
    browser: Client, cast: Cast, world: dict[str, Any]
) -> None:
    assert ReservedName.objects.filter(name="old").exists()
    assert give(browser, "team-red").status_code == 302
    namespace = Namespace.objects.get()
    assert (namespace.name, namespace.account, namespace.public) == ("old", cast.account, False)
    images = Image.objects.order_by("name").values_list("name", "repository_row__name")
    assert list(images) == [("app", "old/app"), ("deep/web", "old/deep/web")]
    assert ReservedName.objects.get(name="old").account == cast.account
    assert SyncRun.objects.filter(state="waiting").exists()
    trail = AuditEvent.objects.get(action="namespace.adopted")
    assert (trail.account_id, trail.after, trail.actor) == (
        cast.account.pk,
        {"repositories": 2},
        "operator@example.com",
    )
    assert give(browser, "team-red").status_code == 404  # nothing is unassigned any more


@pytest.mark.parametrize("handle", ["", "nobody", "TEAM-RED"])
def test_to_no_account_nothing_is_given(
    browser: Client, cast: Cast, world: dict[str, Any], handle: str
) -> None:
    answer = give(browser, handle)
    assert answer.status_code == 400
    assert "No open account has this handle" in answer.content.decode()
    assert not Namespace.objects.exists()
    assert ReservedName.objects.filter(name="old").exists()


def test_nor_to_a_closed_one(browser: Client, world: dict[str, Any]) -> None:
    factories.AccountFactory(handle="shut", closed_at=timezone.now())
    assert give(browser, "shut").status_code == 400


@pytest.mark.parametrize(("first", "words"), [("nginx", "NAMESPACE/IMAGE"), ("library", "reserved")])
def test_what_no_namespace_can_hold_says_why(
    browser: Client, cast: Cast, world: dict[str, Any], first: str, words: str
) -> None:
    page = browser.get(f"/system/repositories/{first}/").content.decode()
    assert words in page
    assert 'name="handle"' not in page
    assert give(browser, "team-red", first).status_code == 400
    assert not Namespace.objects.exists()


@pytest.mark.parametrize("closed", [False, True])
def test_what_was_anothers_is_given_by_an_operator_who_is_told_so(
    browser: Client, cast: Cast, world: dict[str, Any], closed: bool
) -> None:
    if closed:
        cast.elsewhere.closed_at = timezone.now()
        cast.elsewhere.save()
    ReservedName.objects.filter(name="old").update(account=cast.elsewhere)
    assert "<code>elsewhere</code>" in browser.get("/system/repositories/old/").content.decode()
    assert give(browser, "team-red").status_code == 302
    assert ReservedName.objects.get(name="old").account == cast.account
    trail = AuditEvent.objects.get(action="namespace.given_away")
    assert (trail.account_id, trail.object, trail.actor) == (cast.elsewhere.pk, "old", "operator@example.com")
    assert "team-red" not in str(trail.before) + str(trail.after)


def test_a_name_for_which_tokens_may_live_waits(browser: Client, cast: Cast, world: dict[str, Any]) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    ReservedName.objects.filter(name="old").update(account=cast.elsewhere, until=soon)
    refused = give(browser, "team-red")
    assert refused.status_code == 400
    assert "may be valid until" in refused.content.decode()
    browser.cookies["time_zone"] = "Asia/Tokyo"  # as it says moments everywhere else, with UTC behind
    there = time_zones.exact(soon, ZoneInfo("Asia/Tokyo"))
    assert f"may be valid until {there};" in browser.get("/system/repositories/old/").content.decode()
    assert not Image.objects.exists()
    assert give(browser, "elsewhere").status_code == 302  # what its own tokens push is its own


def test_a_name_of_which_the_registry_lists_nothing_is_given_too(browser: Client, cast: Cast) -> None:
    ReservedName.objects.create(name="spare", account=cast.elsewhere)
    assert "spare" in browser.get("/system/repositories/").content.decode()
    assert give(browser, "team-red", "spare").status_code == 302
    assert Namespace.objects.get(name="spare").account == cast.account
    assert (
        "spare"
        not in browser.get("/system/repositories/").content.decode().split("<main")[1].split("kept")[1]
    )


# Clearing ---------------------------------------------------------------------------------------------


def clear(browser: Client, typed: str = "spare", first: str = "spare") -> Any:
    return browser.post(f"/system/repositories/{first}/release/", {"confirm": typed})


def test_a_name_is_cleared_by_typing_it(browser: Client, cast: Cast) -> None:
    ReservedName.objects.create(
        name="spare", account=cast.elsewhere, until=timezone.now() - timedelta(hours=1)
    )
    assert clear(browser, "other").status_code == 400
    assert ReservedName.objects.exists()
    assert clear(browser).status_code == 302
    assert not ReservedName.objects.exists()
    trail = AuditEvent.objects.get(action="namespace.cleared")
    assert (trail.account_id, trail.object, trail.before) == (
        cast.elsewhere.pk,
        "spare",
        {"account": "elsewhere"},
    )
    assert cast.client("owner").post("/a/team-red/namespaces/new/", {"name": "spare"}).status_code == 302
    assert clear(browser).status_code == 404  # it is a namespace now


@pytest.mark.parametrize("why", ["holds", "tokens", "not read", "never read"])
def test_not_while_the_registry_may_hold_something(browser: Client, cast: Cast, why: str) -> None:
    ago, now = timedelta(hours=1), timezone.now()
    until = {"tokens": now + ago, "not read": now - ago}.get(why)
    ReservedName.objects.create(name="spare", account=cast.elsewhere, until=until)
    if why == "holds":
        Repository.objects.create(name="spare/app")
    if why == "not read":
        CatalogRead.objects.update(started_at=now - 2 * ago)
    if why == "never read":
        CatalogRead.objects.update(registry="http://another:5000")
    words = {"holds": "holds 1 repository", "tokens": "may be valid until"}.get(why, "has not been read")
    assert words in browser.get("/system/repositories/spare/").content.decode()
    refused = clear(browser)
    assert (refused.status_code, words in refused.content.decode()) == (400, True)
    assert ReservedName.objects.exists()
    assert not AuditEvent.objects.exists()


# Doctor -----------------------------------------------------------------------------------------------


def test_a_checkup_is_asked_for_once_and_not_made_by_the_page(browser: Client) -> None:
    for _twice in range(2):
        assert browser.post("/system/doctor/").status_code == 302
    row = DiagnosticRun.objects.get()
    assert (row.state, row.requested_by, row.results) == ("waiting", "operator@example.com", [])
    page = browser.get("/system/doctor/").content.decode()
    assert "The worker is not responding" in page
    assert 'data-live hx-get="/system/doctor/?live=' in " ".join(page.split())
    heartbeats.note(Marker.WORKER, timezone.now())
    assert "Waiting for the worker" in browser.get("/system/doctor/").content.decode()


def test_one_left_by_a_dead_worker_stands_in_nobodys_way(browser: Client) -> None:
    old = DiagnosticRun.objects.create(
        state="running", requested_by="x", requested_at=timezone.now() - timedelta(minutes=10)
    )
    assert 'hx-get="/system/doctor/' not in browser.get("/system/doctor/").content.decode()
    browser.post("/system/doctor/")
    assert DiagnosticRun.objects.exclude(pk=old.pk).get().state == "waiting"


def test_results_are_shown_with_their_lines(browser: Client) -> None:
    result = {"key": "token", "title": "Trust <b>", "state": "fail", "text": "It refuses.",
              "fixes": [{"where": "In config.yml:", "lines": "issuer: registry-manager"}]}  # fmt: skip
    for _twice in range(2):
        DiagnosticRun.objects.create(
            state="done", requested_by="x", finished_at=timezone.now(), results=[result]
        )
    page = browser.get("/system/doctor/").content.decode()
    assert "Trust &lt;b&gt;" in page
    assert "issuer: registry-manager" in page
    assert "failed:" in page
    assert "<html" not in browser.get("/system/doctor/", headers={"HX-Request": "true"}).content.decode()
    assert "1 check failed" in browser.get("/system/").content.decode()


def test_what_the_installation_is_made_of(cast: Cast, operator: Person) -> None:
    today = timezone.localdate()
    for day, size in ((today - timedelta(days=1), 9), (today, 5_000_000)):
        Usage.objects.create(account_id=cast.account.pk, namespace_id=0, day=day, stored_bytes=size)
    page = client_for(operator).get("/system/")
    shown = page.context["installation"]
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    assert (shown.version, shown.stored_bytes) == (project["version"], 5_000_000)
    assert (shown.person_count, shown.account_count) == (5, 2)
    assert shown.database_bytes > 100_000
    sqlite = connection.vendor == "sqlite"
    assert shown.database.startswith("SQLite 3." if sqlite else "PostgreSQL 1")
    assert (bool(shown.disk_total), bool(shown.tables)) == (sqlite, not sqlite)
    assert "5.0 MB" in page.text
