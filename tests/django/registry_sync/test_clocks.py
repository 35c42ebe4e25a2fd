"""Clocks jump: ten minutes ahead for a while and back, or an hour back. Nothing waits for what then lies ahead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from celery.signals import task_prerun
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import AuditEvent, OutgoingMail, Person
from accounts.outbox import OutboxBackend
from manager.beat import Schedule
from namespaces.models import Webhook, WebhookDelivery
from registry_sync import clocks, freshness, heartbeats, panel_client, selectors, tasks
from registry_sync.client import RegistryClient
from registry_sync.events import due_events, processor
from registry_sync.models import Event, Marker, Removal, RetentionRule, RetentionRun, SyncRun
from registry_sync.reconcile import run
from tests import factories
from tests.cast import client_for
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
BACK = pytest.mark.parametrize("back", [timedelta(minutes=10), timedelta(hours=1)])


def left_ahead(at: datetime) -> None:
    """What all parts wrote down while the clock said `at`."""
    for name in (Marker.WORKER, Marker.BEAT, Marker.EVENTS):
        heartbeats.note(name, at)
    heartbeats.reserve("registry_sync.apply_events", at, at + timedelta(seconds=2))
    Event.objects.create(event_id="1", received_at=at, due_at=at)
    Removal.objects.create(image=factories.ImageFactory(), kind="untag", requested_by="x", due_at=at)
    OutgoingMail.objects.create(to="a@example.com", encrypted="x", due_at=at)
    hook = Webhook.objects.create(account=factories.AccountFactory(), url="https://a.example", secrets="")
    for attempts, later in ((0, timedelta()), (2, timedelta(hours=9)), (3, timedelta(hours=1))):
        WebhookDelivery.objects.create(
            webhook=hook, event_type="image.pushed", attempts=attempts, due_at=at + later
        )
    SyncRun.objects.create(state="done", started_at=at, heartbeat_at=at, finished_at=at)


@BACK
def test_what_lies_ahead_is_mended_before_the_next_task_and_said(
    back: timedelta, operator: Person, caplog: pytest.LogCaptureFixture
) -> None:
    left_ahead(timezone.now() + back)
    task_prerun.send(sender=None)
    now = timezone.now()
    assert due_events.any_due()
    assert heartbeats.reserve("registry_sync.apply_events", now, now + timedelta(seconds=2))
    assert Removal.objects.filter(due_at__lte=now).exists()
    assert OutgoingMail.objects.filter(due_at__lte=now).exists()
    # The third waits for its next attempt.
    assert set(WebhookDelivery.objects.filter(due_at__lte=now).values_list("attempts", flat=True)) == {0, 2}
    assert run._due(now + timedelta(seconds=61))
    assert [pulse.state for pulse in selectors.component_health(now)] == ["works", "works"]
    assert "the clock went back by" in caplog.text
    assert "was set back" in client_for(operator).get("/system/").content.decode()


def test_while_the_clock_is_right_nothing_is_touched(operator: Person) -> None:
    now = timezone.now()
    left_ahead(now)
    later = now + timedelta(minutes=5)
    Event.objects.update(due_at=later)
    assert not clocks.repair_after_setback(now)
    assert Event.objects.get().due_at == later
    assert "was set back" not in client_for(operator).get("/system/").content.decode()


def test_when_time_leaps_ahead_rules_that_count_days_go_off_and_say_why(operator: Person) -> None:
    namespace = factories.NamespaceFactory()
    lines = {"days": {"keep_days": 30}, "pulls": {"keep_pulled_days": 90}, "last": {"keep_last": 3}}
    for name, kept in lines.items():
        RetentionRule.objects.create(namespace=namespace, image_name=name, enabled=True, **kept)
    heartbeats.note(Marker.WORKER, timezone.now() - clocks.JUMP_MIN + timedelta(minutes=1))
    task_prerun.send(sender=None)
    assert RetentionRule.objects.filter(enabled=True).count() == 3
    Marker.objects.filter(name=Marker.WORKER).update(at=timezone.now() - timedelta(days=60))
    task_prerun.send(sender=None)
    assert [rule.image_name for rule in RetentionRule.objects.filter(enabled=True)] == ["last"]
    run = RetentionRun.objects.get(rule__image_name="days")
    assert (run.state, "60 days" in run.problem) == ("skipped", True)
    told = AuditEvent.objects.filter(action="retention.switched_off")
    assert {event.actor for event in told} == {"system"}
    assert told.count() == 2
    assert "jumped ahead by days" in client_for(operator).get("/system/").content.decode()
    RetentionRule.objects.update(enabled=True)  # by somebody who has looked
    task_prerun.send(sender=None)
    assert RetentionRule.objects.filter(enabled=True).count() == 3


@BACK
def test_a_sign_of_life_from_the_future_proves_nothing(back: timedelta) -> None:
    now = timezone.now()
    left_ahead(now + back)
    assert [pulse.state for pulse in selectors.component_health(now)] == ["unknown", "silent"]
    heartbeats.note(Marker.BEAT, now, every=heartbeats.PULSE)
    assert heartbeats.last(Marker.BEAT) == now


def test_a_check_that_ends_in_the_future_makes_no_green_light() -> None:
    now = timezone.now()
    ahead = now + timedelta(minutes=10)
    check = freshness.FinishedCheck("done", ahead, ahead)
    facts = freshness.FreshnessInput(now=now, rest=timedelta(minutes=1), last=check)
    assert freshness.judge(facts) is freshness.Reason.OVERDUE


def test_while_the_registry_refuses_our_tokens_no_event_uses_up_its_attempts() -> None:
    """A clock that is ten minutes ahead makes tokens that are good in ten minutes."""
    factories.NamespaceFactory(name="team")
    web = Scripted()
    digest = "sha256:" + "0" * 64
    web.says[f"/v2/team/app/manifests/{digest}"] = answer({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
    for number in range(3):
        Event.objects.create(event_id=str(number), action="push", repository="team/app", namespace="team",
                             tag=str(number), digest=digest)  # fmt: skip
    processor.process_due(RegistryClient(web.url, lambda *_scope: "token"))
    web.stop()
    assert len(web.asked) == 1
    assert not Event.objects.filter(attempts__gt=0).exists()
    assert Event.objects.get(event_id="0").due_at <= timezone.now() + processor.UNAUTHORIZED_DELAY


class Sent(Schedule):
    """Writes down what it would send."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.names: list[str] = []
        self.monotonic = clock
        super().__init__(current_app)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        self.names.append(entry.name)

    @property
    def producer(self) -> None:
        """None is needed."""


@pytest.mark.django_db(transaction=True)
def test_the_schedule_goes_by_a_clock_that_does_not_jump_and_keeps_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Event.objects.create(event_id="waits", action="push", repository="team/app", namespace="team")
    OutboxBackend().send_messages([EmailMessage(to=["a@example.com"])])
    webhook_message()
    factories.TrustPolicyFactory(issuer__account=None)
    moment = [1000.0]
    sent = Sent(lambda: moment[0])
    assert sent.tick() <= 1.0
    assert set(sent.names) == set(current_app.conf.beat_schedule)
    for passed, expected in ((0.5, False), (0.5, True), (-5000.0, True), (1.0, True), (5000.0, True)):
        moment[0] += passed
        sent.names.clear()
        sent.tick()
        assert ("events" in sent.names) is expected, passed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_what_comes_every_few_seconds_is_sent_when_its_rows_say_so() -> None:
    """And when nobody can read the rows: the worker then says why nothing is done."""
    moment = [1000.0]
    sent = Sent(lambda: moment[0])

    def names_after(seconds: float) -> set[str]:
        sent.names.clear()
        moment[0] += seconds
        sent.tick()
        return {"events", "mails", "webhooks"} & set(sent.names)

    assert names_after(0) == set()
    Event.objects.create(event_id="waits", action="push", repository="team/app", namespace="team")
    assert names_after(1) == {"events"}
    Event.objects.update(due_at=timezone.now() + timedelta(seconds=9))
    OutboxBackend().send_messages([EmailMessage(to=["a@example.com"])])
    assert names_after(3) == {"mails"}
    OutgoingMail.objects.update(due_at=None)
    assert names_after(3) == set()
    message = webhook_message()
    assert names_after(3) == {"webhooks"}
    message.delete()
    for lost in (lambda _sql: True, lambda sql: "registry_sync_marker" not in sql):
        with connection.execute_wrapper(failing(lost)):
            assert names_after(3) == {"events", "mails", "webhooks"}


def webhook_message() -> WebhookDelivery:
    hook = Webhook.objects.create(
        account=factories.AccountFactory(), url="https://a.example", secrets="", event_types=["user.denied"]
    )
    return WebhookDelivery.objects.create(webhook=hook, event_type="image.pushed")


def failing(lost: Callable[[str], bool]) -> Any:
    def wrapper(execute: Any, sql: str, *arguments: Any) -> Any:
        if lost(sql):
            raise OperationalError("gone")
        return execute(sql, *arguments)

    return wrapper


def test_what_is_done_once_a_day_is_not_done_with_each_restart() -> None:
    tasks.daily()
    assert heartbeats.last(Marker.AUDIT_LOG_INTACT)
    Marker.objects.filter(name=Marker.AUDIT_LOG_INTACT).delete()
    tasks.daily()
    assert not heartbeats.last(Marker.AUDIT_LOG_INTACT)


@pytest.mark.parametrize("jump", [timedelta(minutes=-10), timedelta(minutes=10), timedelta(hours=-1)])
def test_tokens_are_made_anew_when_the_clock_jumped(jump: timedelta) -> None:
    ahead = [timedelta()]
    tokens = panel_client.PanelTokens(clock=lambda: datetime.now(UTC) + ahead[0])
    first = tokens("team/app")
    assert tokens("team/app") == first
    ahead[0] = jump
    assert tokens("team/app") != first
