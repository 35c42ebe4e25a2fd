"""POST /registry/events: only the registry gets in, and whatever it brings is taken once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.conf import settings
from django.test import Client

from accounts.common import secret_files
from accounts.names import USERNAME
from registry_sync import heartbeats
from registry_sync.client.pacing import stamped_agent
from registry_sync.models import Event, Marker
from registry_sync.tokens.issuer import PANEL_SUBJECT

pytestmark = pytest.mark.django_db
URL = "/registry/events"
EVENT = {"id": "one", "action": "push", "target": {"repository": "team/app", "tag": "1.0"}}


def post(body: bytes, *, key: str | None = None, scheme: str = "Bearer", client: Client | None = None) -> int:
    key = secret_files.read(settings.SECRETS_DIR / "hook.key").decode() if key is None else key
    sender = client or Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"{scheme} {key}"}
    kind = "application/vnd.docker.distribution.events.v1+json"
    return sender.post(URL, body, content_type=kind, headers=headers).status_code


def envelope(*events: Any) -> bytes:
    return json.dumps({"events": events}).encode()


def test_the_registry_is_let_in_and_leaves_a_sign_of_life() -> None:
    assert post(envelope(EVENT)) == 202
    assert Event.objects.get().tag == "1.0"
    assert heartbeats.last(Marker.EVENTS)


@pytest.mark.parametrize("key", ["", "wrong", "é", "x" * 10_000])
def test_nobody_else_is(key: str) -> None:
    assert post(envelope(EVENT), key=key) == 401
    assert not Event.objects.exists()
    assert heartbeats.last(Marker.EVENTS) is None


def test_a_flood_without_the_key_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for _each in range(20):
        assert post(envelope(EVENT), key="wrong") == 401
    lines = [each for each in caplog.records if each.name.startswith("registry_sync")]
    assert len(lines) <= 2  # one a second


def test_nor_with_the_key_under_another_scheme() -> None:
    assert post(envelope(EVENT), scheme="Basic") == 401


@pytest.mark.parametrize("content", [b"", b"\n", b"short"])
def test_a_key_that_anybody_could_guess_lets_nobody_in(content: bytes, tmp_path: Path, settings: Any) -> None:
    settings.SECRETS_DIR = tmp_path
    secret_files.create(tmp_path / "hook.key", content)
    with pytest.raises(secret_files.SecretFileError, match="fewer than 32 bytes"):
        post(envelope(EVENT), key=content.decode().strip())
    assert not Event.objects.exists()


def test_nor_a_person_by_the_browser(client: Client) -> None:
    assert client.post(URL, envelope(EVENT), content_type="application/json").status_code == 401
    assert client.get(URL).status_code == 405
    assert heartbeats.last(Marker.REDIRECTED) is None


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_who_comes_with_the_key_and_without_the_event_was_sent_on(client: Client, method: str) -> None:
    """405, so that the registry brings it again; and the doctor says what is wrong."""
    key = secret_files.read(settings.SECRETS_DIR / "hook.key").decode()
    assert getattr(client, method)(URL, headers={"Authorization": f"Bearer {key}"}).status_code == 405
    assert heartbeats.last(Marker.REDIRECTED)


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
@pytest.mark.parametrize("secure", [True, False])
def test_nobody_is_sent_on(url: str, secure: bool, settings: Any) -> None:
    """A registry follows with a GET, and holds the event for delivered."""
    settings.SECURE_SSL_REDIRECT = True  # as in production, behind a proxy
    key = secret_files.read(settings.SECRETS_DIR / "hook.key").decode()
    for given, status in ((key, 202), ("wrong", 401)):
        sender = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {given}"})
        answer = sender.post(url, envelope(EVENT), content_type="application/json", secure=secure)
        assert answer.status_code == status


def test_a_body_that_broke_off_is_refused_and_comes_again() -> None:
    body = envelope(EVENT)
    key = secret_files.read(settings.SECRETS_DIR / "hook.key").decode()
    sender = Client(headers={"Authorization": f"Bearer {key}"})
    for part in (b"", body[:-1]):
        came: Any = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(part)}
        assert sender.generic("POST", URL, body, "application/json", **came).status_code == 400
    assert not Event.objects.exists()
    assert heartbeats.last(Marker.EVENTS) is None


def test_an_event_that_comes_again_is_the_same_event() -> None:
    for _thrice in range(3):
        assert post(envelope(EVENT, EVENT)) == 202
    assert Event.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"garbage", b"\xff\xfe", b"[1]", b'{"events": {}}', b"[" * 50_000])
def test_nonsense_is_taken_too_or_the_registry_would_bring_it_for_ever(body: bytes) -> None:
    assert post(body) == 202
    assert Event.objects.get().action == ""


def test_what_is_longer_than_a_form_may_be_is_taken(settings: Any) -> None:
    assert post(envelope(EVENT | {"padding": "x" * 4_000_000})) == 202
    settings.EVENTS_BODY_MAX = 1000
    assert post(envelope(EVENT | {"id": "two", "padding": "x" * 4_000})) == 202
    assert Event.objects.count() == 2


def pulled(actor: str, client: str, action: str = "pull") -> dict[str, Any]:
    return {**EVENT, "action": action, "actor": {"name": actor}, "request": {"useragent": client}}


@pytest.mark.parametrize("client", ["registry-manager", stamped_agent(1_700_000_000.25)])
def test_what_we_read_ourselves_is_a_sign_of_life_and_not_kept(client: str) -> None:
    assert post(envelope(pulled(PANEL_SUBJECT, client))) == 202
    assert not Event.objects.exists()
    assert heartbeats.last(Marker.EVENTS)
    read = heartbeats.last(Marker.READ)
    assert (
        read is None
        if client == "registry-manager"
        else read == datetime.fromtimestamp(1_700_000_000.25, UTC)
    )


@pytest.mark.parametrize(
    "event",
    [
        pulled("wsbq5k5ysqyt", stamped_agent(1_700_000_000.25)),  # anybody may call himself so
        pulled("", "registry-manager"),
        pulled(PANEL_SUBJECT, "registry-manager-doctor/0011"),  # it waits for this
        pulled(PANEL_SUBJECT, "registry-manager", "push"),
        pulled(PANEL_SUBJECT, "registry-manager", "delete"),
    ],
)
def test_all_else_is_kept(event: dict[str, Any]) -> None:
    assert post(envelope(event)) == 202
    assert Event.objects.exists()
    assert heartbeats.last(Marker.READ) is None


def test_no_user_can_be_named_as_we_are() -> None:
    assert not USERNAME.fullmatch(PANEL_SUBJECT)


def test_a_moment_to_come_is_no_moment() -> None:
    assert post(envelope(pulled(PANEL_SUBJECT, stamped_agent(9_000_000_000.0)))) == 202
    read = heartbeats.last(Marker.READ)
    assert read
    assert read <= datetime.now(UTC)


@pytest.fixture
def woken() -> Iterator[list[str]]:
    """The messages that go to the broker."""
    sent: list[str] = []

    def noted(sender: str, **_message: Any) -> None:
        sent.append(sender)

    before_task_publish.connect(noted)
    yield sent
    before_task_publish.disconnect(noted)


def bring(name: str, callbacks: Any) -> None:
    with callbacks(execute=True):
        assert post(envelope({**EVENT, "id": name})) == 202


def test_the_first_that_waits_wakes_the_worker_and_no_other(
    woken: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    """Else a broker would hold a message for each event of a night without a worker."""
    for name in ("one", "two", "three"):
        bring(name, django_capture_on_commit_callbacks)
    assert woken == ["registry_sync.apply_events"]


def test_what_waits_of_another_namespace_keeps_nobody_from_waking_it(
    woken: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    """It may wait because the registry says nothing about those images."""
    bring("one", django_capture_on_commit_callbacks)
    Event.objects.update(namespace="loud")
    bring("two", django_capture_on_commit_callbacks)
    bring("three", django_capture_on_commit_callbacks)
    assert len(woken) == 2


@pytest.mark.parametrize(
    "state",
    [{"applied_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"problem": "no answer"}, {"due_at": None}],
    ids=["applied", "failed", "given up"],
)
def test_what_is_not_waiting_for_the_first_time_has_woken_nobody(
    woken: list[str], django_capture_on_commit_callbacks: Any, state: dict[str, Any]
) -> None:
    bring("one", django_capture_on_commit_callbacks)
    Event.objects.update(**state)
    bring("two", django_capture_on_commit_callbacks)
    assert len(woken) == 2


def test_an_event_of_many_costs_few_statements(
    django_assert_max_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    """In a storm: stored, looked whether its sign of life is young, looked whether somebody waits already."""
    bring("one", django_capture_on_commit_callbacks)
    savepoints = 4
    with django_assert_max_num_queries(3 + savepoints):
        bring("two", django_capture_on_commit_callbacks)
