"""What the database says at a scrape: the right numbers, by few statements, none of which reads a whole long table."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, ApiToken, AuditEvent, AuditSeal, OutgoingMail, RegistryUser, Secret
from manager.metrics import gauges
from namespaces.models import Usage, Webhook, WebhookDelivery
from registry_sync import heartbeats
from registry_sync.models import Backup, Drift, Event, Marker, QuarantinedWork, Removal, SyncRun
from registry_sync.tokens import ca
from tests import factories, plans
from tests.statements import counted

pytestmark = pytest.mark.django_db
STATEMENTS_MOST = 24


def found(name: str, value: str = "") -> float:
    (gauge,) = (each for each in gauges.collect() if each.name == f"registry_manager_{name}")
    return gauge.values[value]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def ago(now: datetime, **when: float) -> datetime:
    return now - timedelta(**when)


def event(number: int, **values: Any) -> Event:
    return Event.objects.create(event_id=str(number), **values)


def run(state: str, **values: Any) -> SyncRun:
    return SyncRun.objects.create(state=state, **values)


def test_an_empty_installation() -> None:
    values = {(each.name, label): value for each in gauges.collect() for label, value in each.values.items()}
    assert {name for name, value in values.items() if value} == set()
    assert ("registry_manager_problem", "no_worker") in values
    assert ("registry_manager_sync_run_seconds", "full") not in values


def test_few_statements(now: datetime) -> None:
    factories.RegistryUserFactory()
    event(1, due_at=ago(now, seconds=5))
    run("done", finished_at=now, started_at=now)
    with counted() as statements:
        gauges.collect()
    assert len(statements) <= STATEMENTS_MOST


def test_signs_of_life(now: datetime) -> None:
    for marker in (Marker.WORKER, Marker.BEAT, Marker.EVENTS, Marker.REGISTRY):
        Marker.objects.create(name=marker, at=now)
    for part in ("worker", "scheduler", "events", "registry"):
        assert found("last_seen_timestamp_seconds", part) == now.timestamp()
    assert found("problem", "no_worker") == 0


def test_a_worker_that_fell_silent(now: datetime) -> None:
    Marker.objects.create(name=Marker.WORKER, at=now - heartbeats.SILENT_AFTER - timedelta(seconds=1))
    assert found("problem", "no_worker") == 1


def test_a_scheduler_that_fell_silent(now: datetime) -> None:
    Marker.objects.create(name=Marker.BEAT, at=now)
    assert found("problem", "no_scheduler") == 0
    Marker.objects.update(at=now - heartbeats.SILENT_AFTER - timedelta(seconds=1))
    assert found("problem", "no_scheduler") == 1


@pytest.mark.parametrize(("days_left", "ends"), [(4, 1), (6, 0)])
def test_a_certificate_that_was_not_renewed(
    days_left: int, ends: int, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.SECRETS_DIR = tmp_path
    assert found("problem", "certificate_ends") == 0  # nor is there one; tokens_unsigned says it
    ca.ensure_keys(tmp_path, now - ca.LEAF_LIFE + timedelta(days=days_left))
    assert found("problem", "certificate_ends") == ends


@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        (Marker.REGISTRY_SILENT, "unreachable"),
        (Marker.REGISTRY_REFUSES, "tokens_refused"),
        (Marker.TOKENS_UNSIGNED, "tokens_unsigned"),
    ],
)
def test_problems(marker: str, problem: str, now: datetime) -> None:
    Marker.objects.create(name=Marker.WORKER, at=now)
    assert found("problem", problem) == 0
    Marker.objects.create(name=marker, at=now)
    assert found("problem", problem) == 1


def _events(now: datetime) -> None:
    event(1, due_at=ago(now, seconds=90))
    event(2, due_at=ago(now, seconds=30))
    event(3, due_at=now + timedelta(hours=1))
    event(4, due_at=None)


def _removals(now: datetime) -> None:
    image = factories.ImageFactory()
    for due_at in (ago(now, seconds=90), ago(now, seconds=30), now + timedelta(hours=1), None):
        Removal.objects.create(image=image, kind="untag", requested_by="x", due_at=due_at)


def _mails(now: datetime) -> None:
    for due_at in (ago(now, seconds=90), ago(now, seconds=30), now + timedelta(hours=1), None):
        OutgoingMail.objects.create(to="a@example.com", encrypted="", due_at=due_at)


def _webhooks(now: datetime) -> None:
    webhook = _webhook()
    for due_at in (ago(now, seconds=90), ago(now, seconds=30), now + timedelta(hours=1), None):
        WebhookDelivery.objects.create(webhook=webhook, event_type="image.pushed", due_at=due_at)


def _webhook(**values: Any) -> Webhook:
    account = factories.AccountFactory()
    return Webhook.objects.create(account=account, url="https://a.example", format="cloudevents", **values)


@pytest.mark.parametrize(
    ("kind", "make"),
    [("events", _events), ("removals", _removals), ("mails", _mails), ("webhooks", _webhooks)],
)
def test_work_that_is_due(kind: str, make: Callable[[datetime], None], now: datetime) -> None:
    make(now)
    assert found("work_due", kind) == 2
    assert 90 <= found("work_delay_seconds", kind) < 300


def test_messages_of_an_account_that_is_suspended_are_not_due(now: datetime) -> None:
    _webhooks(now)
    Account.objects.update(suspended_at=now)
    assert found("work_due", "webhooks") == 0


def test_what_waits_for_its_own_slow_receiver_is_no_delay_of_ours(now: datetime) -> None:
    _webhooks(now)
    Webhook.objects.update(last_tried_at=ago(now, seconds=5), last_problem="no answer")
    assert found("work_due", "webhooks") == 2
    assert found("work_delay_seconds", "webhooks") == 0
    WebhookDelivery.objects.create(webhook=_webhook(), event_type="image.pushed", due_at=ago(now, seconds=60))
    assert 60 <= found("work_delay_seconds", "webhooks") < 90
    Webhook.objects.update(last_tried_at=ago(now, minutes=2))  # nobody gets round to it
    assert 90 <= found("work_delay_seconds", "webhooks") < 300


def test_counts_end(now: datetime, settings: Any) -> None:
    settings.METRICS_COUNTED_MAX = 3
    for number in range(5):
        event(number, due_at=ago(now, seconds=number + 1), problem="x")
    assert found("work_due", "events") == 3
    assert found("work_delay_seconds", "events") >= 5  # of the oldest, whatever the count
    assert found("events_failed") == 3


def test_the_lag_of_events(now: datetime) -> None:
    event(1, received_at=ago(now, hours=1), applied_at=now)  # long ago
    event(2, received_at=ago(now, seconds=50), applied_at=ago(now, seconds=10))
    event(3, received_at=ago(now, seconds=20), applied_at=ago(now, seconds=19))
    assert found("event_lag_seconds") == 40
    event(4, received_at=ago(now, seconds=60))  # nobody has yet
    assert found("event_lag_seconds") >= 60


def test_failed_events_and_quarantined_work(now: datetime) -> None:
    event(1, problem="no answer")
    event(2)
    QuarantinedWork.objects.create(repository="team/app")
    assert found("events_failed") == 1
    assert found("work_quarantined") == 1


def test_checks(now: datetime) -> None:
    run("done", quick=False, started_at=ago(now, minutes=9), finished_at=ago(now, minutes=5))
    run("done", quick=True, started_at=ago(now, minutes=2), finished_at=ago(now, minutes=1))
    run("failed", quick=False, started_at=ago(now, seconds=9), finished_at=now)
    run("running", started_at=now)
    run("done", quick=False, requested_at=ago(now, days=2), finished_at=ago(now, days=2))
    assert found("sync_last_success_timestamp_seconds", "full") == ago(now, minutes=5).timestamp()
    assert found("sync_last_success_timestamp_seconds", "quick") == ago(now, minutes=1).timestamp()
    assert [found("sync_runs", state) for state in ("done", "failed", "running", "waiting")] == [2, 1, 1, 0]
    assert found("sync_run_seconds", "full") == 9
    assert found("sync_run_seconds", "quick") == 60


def test_drift(now: datetime) -> None:
    checked = run("done", finished_at=now)
    Drift.objects.create(run=checked, repository="a/b", found_at=ago(now, hours=1))
    Drift.objects.create(run=checked, repository="a/b", found_at=ago(now, days=2))
    assert found("drift") == 1


@pytest.mark.parametrize("kind", ["users", "passwords", "api_tokens"])
def test_what_ends_soon(kind: str, now: datetime) -> None:
    for days in (-1, 3, 20, 40):
        end = now + timedelta(days=days)
        match kind:
            case "users":
                factories.RegistryUserFactory(expires_at=end)
                factories.RegistryUserFactory(expires_at=end, disabled_at=now)
            case "passwords":
                user = factories.RegistryUserFactory()
                Secret.objects.filter(user=user).update(expires_at=end)
                policy = factories.TrustPolicyFactory(user=user)
                Secret.objects.create(
                    user=user, digest=f"{days}", pepper_version=1, policy=policy, expires_at=end
                )
            case _:
                person = factories.PersonFactory()
                ApiToken.objects.create(person=person, name="x", digest=f"{days}", hint="x", expires_at=end)
    assert found(f"{kind}_expiring", "7d") == 1
    assert found(f"{kind}_expiring", "30d") == 2


def test_what_nobody_can_use_does_not_end_soon(now: datetime) -> None:
    end = now + timedelta(days=3)
    for account in (factories.AccountFactory(), factories.AccountFactory(closed_at=now)):
        user = factories.RegistryUserFactory(account=account, expires_at=end)
        Secret.objects.filter(user=user).update(expires_at=end)
    disabled = factories.RegistryUserFactory(disabled_at=now)
    Secret.objects.filter(user=disabled).update(expires_at=end)
    for number, person in enumerate((factories.PersonFactory(), factories.PersonFactory(is_active=False))):
        ApiToken.objects.create(person=person, name="x", digest=f"{number}", hint="x", expires_at=end)
    for kind in ("users", "passwords", "api_tokens"):
        assert found(f"{kind}_expiring", "7d") == 1


def test_the_audit_log(now: datetime) -> None:
    AuditSeal.objects.create(
        at=ago(now, days=1), last_event_id=1, event_count=1, digest="x", pepper_version=1
    )
    AuditSeal.objects.create(at=now, last_event_id=2, event_count=1, digest="x", pepper_version=1)
    Marker.objects.create(name=Marker.AUDIT_LOG_CHANGED, at=now)
    assert found("audit_seal_timestamp_seconds") == now.timestamp()
    assert found("audit_log_verified_timestamp_seconds", "changed") == now.timestamp()
    assert found("audit_log_verified_timestamp_seconds", "intact") == 0


def test_backups(now: datetime, settings: Any) -> None:
    settings.BACKUP_DAYS = 7
    names = {each.name for each in gauges.collect()}
    assert "registry_manager_backup_due_timestamp_seconds" not in names  # of an empty installation
    AuditEvent.objects.create(at=ago(now, days=3))
    assert found("backup_timestamp_seconds") == 0
    assert found("backup_due_timestamp_seconds") == (now + timedelta(days=4)).timestamp()
    for days in (2, 1):
        Backup.objects.create(at=ago(now, days=days), row_count=1, byte_count=1)
    assert found("backup_timestamp_seconds") == ago(now, days=1).timestamp()
    assert found("backup_due_timestamp_seconds") == (now + timedelta(days=6)).timestamp()
    settings.BACKUP_DAYS = 0
    assert found("backup_timestamp_seconds") > 0
    names = {each.name for each in gauges.collect()}
    assert "registry_manager_backup_due_timestamp_seconds" not in names


def test_webhooks(now: datetime, settings: Any) -> None:
    off = {"enabled": False, "disabled_at": ago(now, hours=1)}
    _webhook()
    _webhook(last_tried_at=now, last_problem="no answer")
    _webhook(last_tried_at=now, last_problem="no answer")
    _webhook(**off, last_problem="no answer")  # by a person
    _webhook(**off, disabled_reason="no answer")
    _webhook(enabled=False, disabled_at=ago(now, days=2), disabled_reason="no answer")
    assert [found("webhooks", state) for state in ("working", "failing", "disabled")] == [1, 2, 1]
    settings.METRICS_COUNTED_MAX = 5
    assert [found("webhooks", state) for state in ("working", "failing", "disabled")] == [0, 2, 1]


@pytest.mark.parametrize("field", ["closed_at", "suspended_at"])
def test_webhooks_that_nobody_tries_again_do_not_fail_for_ever(now: datetime, field: str) -> None:
    webhook = _webhook(last_tried_at=now, last_problem="no answer")
    _webhook()
    Account.objects.filter(webhooks=webhook).update(**{field: now})
    assert [found("webhooks", state) for state in ("working", "failing", "disabled")] == [1, 0, 0]


def test_what_there_is(now: datetime) -> None:
    assert [found("stored_bytes", kind) for kind in ("tagged", "untagged", "uncollected")] == [0, 0, 0]
    assert found("stored_bytes_counted_timestamp_seconds") == 0
    account = factories.NamespaceFactory().account
    for owner, days, stored_bytes in ((account.pk, 0, 7), (Usage.EVERYBODY, 1, 9), (Usage.EVERYBODY, 0, 5)):
        at = ago(now, days=days)
        Usage.objects.create(
            account_id=owner, day=at.date(), counted_at=at,
            stored_bytes=stored_bytes, untagged_bytes=2, uncollected_bytes=3,
        )  # fmt: skip
    assert found("namespaces") == 1
    assert [found("stored_bytes", kind) for kind in ("tagged", "untagged", "uncollected")] == [3, 2, 3]
    assert found("stored_bytes_counted_timestamp_seconds") == now.timestamp()


LONG = {
    "registry_sync_event": Event,
    "registry_sync_removal": Removal,
    "registry_sync_drift": Drift,
    "accounts_outgoingmail": OutgoingMail,
    "namespaces_webhookdelivery": WebhookDelivery,
    "accounts_registryuser": RegistryUser,
    "accounts_secret": Secret,
    "accounts_apitoken": ApiToken,
}


def _many(now: datetime) -> None:
    """So many of each that an index pays; few of them are due, or end."""
    user, image = factories.RegistryUserFactory(), factories.ImageFactory()
    person, checked, webhook = factories.PersonFactory(), run("done"), _webhook()
    makes: dict[Any, Callable[[int, datetime | None], Any]] = {
        Event: lambda number, at: Event(event_id=f"{number}", due_at=at),
        Removal: lambda _number, at: Removal(image=image, kind="untag", due_at=at),
        Drift: lambda _number, at: Drift(run=checked, found_at=at or ago(now, days=9)),
        OutgoingMail: lambda _number, at: OutgoingMail(to="a@example.com", due_at=at),
        WebhookDelivery: lambda _number, at: WebhookDelivery(webhook=webhook, due_at=at),
        RegistryUser: lambda number, at: RegistryUser(
            account=user.account, username=f"many{number}", expires_at=at
        ),
        Secret: lambda number, at: Secret(user=user, digest=f"many{number}", pepper_version=1, expires_at=at),
        ApiToken: lambda number, at: ApiToken(person=person, digest=f"many{number}", expires_at=at),
    }
    for model, make in makes.items():
        model.objects.bulk_create(make(number, None if number % 100 else now) for number in range(2000))


@pytest.mark.parametrize("table", LONG)
def test_no_long_table_is_read_to_its_end(table: str, now: datetime) -> None:
    _many(now)
    plans.analyze()
    with plans.explained(table) as found:
        gauges.collect()
    newest = f"SCAN {table}"  # and nothing is sorted: from its end to a limit
    assert not [plan for plan in found if plans.reads_all(plan, table) and plan != newest]
