"""On top of every page: what makes push and pull fail, or keeps the lists as they are."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person
from registry_sync import heartbeats, leases, registry_probe
from registry_sync import installation_status as brought
from registry_sync.client import RegistryClient
from registry_sync.models import DiagnosticRun, Marker, SyncRun
from registry_sync.tokens.issuer import signer
from tests import factories
from tests.cast import Cast, client_for
from tests.parts import processes
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db

PAGES = ["/?all=1", "/a/team-red/images/", "/a/team-red/n/team/", "/a/team-red/users/", "/a/team-red/activity/",
         "/a/team-red/settings/", "/me/tokens/", "/me/email/", "/search/", "/a/team-red/n/none/"]  # fmt: skip


@pytest.fixture
def viewer(cast: Cast) -> Client:
    factories.ImageFactory(namespace=factories.NamespaceFactory(account=cast.account, name="team"))
    return cast.client("viewer")


def live_and_checked() -> datetime:
    """All is well, and the lists say so."""
    now = timezone.now()
    SyncRun.objects.create(state="done", started_at=now, finished_at=now)
    for name in (Marker.EVENTS, Marker.WORKER, Marker.REGISTRY):
        heartbeats.note(name, now)
    return now


def standing(page: str) -> str:
    """What stands on top, in words."""
    found = re.search(r'<div id="standing".*?\n</div>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else "nothing"


@pytest.mark.parametrize("url", PAGES)
def test_a_registry_that_is_down_is_said_on_every_page(viewer: Client, url: str) -> None:
    now = live_and_checked()
    assert standing(viewer.get(url).text) == ""
    registry_probe.record(Marker.REGISTRY_SILENT, now)
    page = viewer.get(url).text
    clock = f"{timezone.localtime(now):%H:%M}"
    assert standing(page) == (
        f"Registry not answering since {clock} : push and pull fail; lists of images are as of {clock} ."
    )
    assert "alert-danger" in page
    assert not re.search("no differences|state-good", page)
    registry_probe.record(Marker.REGISTRY, now)
    assert standing(viewer.get(url).text) == ""


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (Marker.REGISTRY_REFUSES, "Registry refuses the panel’s tokens since"),
        (Marker.TOKENS_UNSIGNED, "The panel cannot sign tokens since"),
    ],
)
def test_so_are_tokens_that_nobody_takes(viewer: Client, sign: str, words: str) -> None:
    registry_probe.record(sign, live_and_checked())
    page = viewer.get("/a/team-red/images/").text
    assert standing(page).startswith(words)
    assert "push and pull fail" in standing(page)
    assert not re.search("no differences|state-good", page)


def test_without_a_worker_lists_are_not_refreshed_which_is_no_fault_of_push_and_pull(viewer: Client) -> None:
    now = live_and_checked()
    registry_probe.record(Marker.REGISTRY_SILENT, now)
    Marker.objects.update(at=now - timedelta(hours=1))
    page = viewer.get("/a/team-red/images/").text
    clock = f"{timezone.localtime(now - timedelta(hours=1)):%H:%M}"
    assert re.fullmatch(
        f"No worker alive since (.*, )?{clock} : lists are not being refreshed. "
        "When it last asked, the registry did not answer.",
        standing(page),
    )
    assert re.search('id="standing".*alert-warning', page, re.DOTALL)
    assert not re.search('alert-danger"><|no differences|state-good', page)


def test_a_long_task_that_keeps_its_lease_is_alive(viewer: Client) -> None:
    heartbeats.note(Marker.WORKER, timezone.now() - timedelta(hours=1))
    assert "No worker alive" in viewer.get("/me/email/").text
    leases.acquire("events", timezone.now())
    assert "No worker alive" not in viewer.get("/me/email/").text


def test_nor_is_one_missed_that_never_was(viewer: Client) -> None:
    assert standing(viewer.get("/a/team-red/images/").text) == ""


def test_a_database_that_takes_no_changes(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    live_and_checked()
    with transaction.atomic():  # until its end
        if connection.vendor == "postgresql":
            connection.cursor().execute("SET TRANSACTION READ ONLY")
        else:
            monkeypatch.setattr(brought.os, "access", lambda *_asked: False)
        page = viewer.get("/a/team-red/images/").text
    assert standing(page).startswith("The database is read-only: nothing can be changed here")
    assert not re.search("no differences|state-good", page)


def test_strangers_are_told_nothing(cast: Cast) -> None:
    registry_probe.record(Marker.REGISTRY_SILENT, live_and_checked())
    for url in ("/me/login/", "/me/signup/", "/me/password/reset/", "/nowhere/"):
        assert standing(Client().get(url).text) == "nothing"
    assert Client().get("/installation-status/").status_code == 302


def test_it_costs_no_statement_of_its_own(viewer: Client) -> None:
    others = ("SELECT p.*", "SELECT p.password")  # finds the person; begins the asking of another part
    for url in PAGES:
        with CaptureQueriesContext(connection) as asked:
            viewer.get(url)
        found = [query["sql"].strip() for query in asked if "registry-silent" in query["sql"]]
        assert found[0].startswith("SELECT p.*")
        assert not [sql for sql in found if not sql.startswith(others) and "'events'" not in sql]


def test_operators_are_led_to_the_doctor(viewer: Client, operator: Person) -> None:
    registry_probe.record(Marker.REGISTRY_SILENT, live_and_checked())
    assert "Open the doctor" in standing(client_for(operator).get("/system/").text)
    assert "Open the doctor" not in standing(viewer.get("/me/email/").text)


def test_what_the_doctor_found_before_is_no_green_light_beside_it(operator: Person) -> None:
    now, client = live_and_checked(), client_for(operator)
    row = {"key": "registry", "title": "RegistryClient", "state": "ok", "text": "It answers.", "fixes": []}
    checkup = DiagnosticRun.objects.create(state="done", requested_by="x", finished_at=now, results=[row])
    assert "state-good" in client.get("/system/doctor/").text
    assert "no problems found" in client.get("/system/").text
    registry_probe.record(Marker.REGISTRY_SILENT, now + timedelta(seconds=1))
    assert "state-good" not in client.get("/system/doctor/").text
    assert "no problems found" not in client.get("/system/").text
    checkup.finished_at = now + timedelta(seconds=2)  # it has looked since, and knows
    checkup.save()
    assert "state-good" in client.get("/system/doctor/").text


GOOD = answer("{}")
LOOKS = [
    (GOOD, set()),
    (answer(status=429), set()),
    (answer(status=401), {Marker.REGISTRY_REFUSES}),
    (answer(status=503), {Marker.REGISTRY_SILENT}),
    (answer(status=404), {Marker.REGISTRY_SILENT}),
    (answer(status=302, Location="/login"), {Marker.REGISTRY_SILENT}),
    (answer(drop=True), {Marker.REGISTRY_SILENT}),
]


@pytest.mark.parametrize(("says", "signs"), LOOKS)
def test_what_an_answer_is_a_sign_of(db: None, says: Answer, signs: set[str]) -> None:
    begun, now = timezone.now() - timedelta(minutes=5), timezone.now()
    script = Scripted()
    script.says["/v2/"] = says
    registry = RegistryClient(script.url, lambda *_scope: "")
    try:
        for before in Marker.TROUBLES:
            heartbeats.note(before, begun)
        registry_probe.probe(registry, now)
        assert set(heartbeats.read_markers(*Marker.TROUBLES)) == signs
        assert all(at == begun for at in heartbeats.read_markers(*signs).values())  # since it began
        assert bool(heartbeats.last(Marker.REGISTRY)) == (not signs)
    finally:
        registry.close()
        script.stop()


def test_nobody_there_and_no_key(db: None, settings: Any, tmp_path: Path) -> None:
    registry = RegistryClient(f"http://127.0.0.1:{processes.free_port()}", lambda *_scope: "")
    registry_probe.probe(registry, timezone.now())
    assert set(heartbeats.read_markers(*Marker.TROUBLES)) == {Marker.REGISTRY_SILENT}
    settings.SECRETS_DIR = tmp_path
    signer.cache_clear()
    registry_probe.probe(registry, timezone.now())
    signer.cache_clear()
    assert set(heartbeats.read_markers(*Marker.TROUBLES)) == {Marker.TOKENS_UNSIGNED}
    registry.close()
