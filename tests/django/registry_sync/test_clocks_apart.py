"""Two machines, of which one is half a minute ahead: each of them does its work, and takes what the other wrote."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from celery.worker.request import Request
from django.db import connection
from django.test import Client
from django.utils import timezone
from kombu import Connection

from accounts.common import clock
from accounts.id_tokens import keys
from namespaces.models import Namespace, PullStats, TagHistoryEntry, Webhook, WebhookDelivery
from namespaces.webhooks import outbox
from namespaces.webhooks.event_types import EventType
from registry_sync import heartbeats, tasks
from registry_sync.client import RegistryClient
from registry_sync.client.pacing import stamped_agent
from registry_sync.doctor import event_probe
from registry_sync.events import processor, views
from registry_sync.models import Event, Marker
from registry_sync.reconcile.run import reconcile
from registry_sync.tokens.issuer import PANEL_SUBJECT
from tests import factories, statements
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
HALF_A_MINUTE = timedelta(seconds=30)
BLOB = Blob(KIND, json.dumps({"content": "kept"}).encode())


@pytest.fixture(params=[HALF_A_MINUTE, -HALF_A_MINUTE], ids=["this machine is behind", "it is ahead"])
def apart(request: pytest.FixtureRequest) -> Iterator[timedelta]:
    """So far is the database's clock ahead of this machine's."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's clock is this machine's.")

    def execute(run: Any, sql: str, *more: Any) -> Any:
        ahead = f"interval '{request.param.total_seconds()} seconds'"
        return run(sql.replace("clock_timestamp()", f"clock_timestamp() + {ahead}"), *more)

    with connection.execute_wrapper(execute):
        yield request.param


def is_taken(options: dict[str, Any], *, ahead: timedelta) -> bool:
    """Whether a worker whose clock is so far ahead of the schedule's takes a message that it gets at once."""
    sent_at = timezone.now() - ahead
    sent = current_app.amqp.as_task_v2("id", tasks.pulse.name, now=sent_at, **options)
    with Connection("memory://") as wire, wire.SimpleQueue("test") as queue:
        queue.put(sent.body, headers=sent.headers, **sent.properties)
        request = Request(queue.get(), app=current_app)
    return not request.maybe_expire()


def test_a_worker_takes_what_the_schedule_of_the_other_machine_sends() -> None:
    entries = current_app.conf.beat_schedule
    for ahead in (HALF_A_MINUTE, -HALF_A_MINUTE):
        assert [
            name for name, each in entries.items() if not is_taken(each.get("options", {}), ahead=ahead)
        ] == []
    assert not is_taken(entries["pulse"]["options"], ahead=timedelta(minutes=5))


def test_what_vanished_in_one_part_of_a_check_counts_in_the_next(apart: timedelta, settings: Any) -> None:
    settings.SYNC_SHARD_SIZE = 4
    factories.NamespaceFactory(name="team")
    registry = ModelRegistry()
    for number in range(60):
        registry.push(f"team/each{number}", "latest", KIND, BLOB.digest, BLOB.content)
    client: Callable[[], RegistryClient] = lambda: RegistryClient(registry.url, lambda *_scope: "token")  # noqa: E731
    reconcile(client())
    for number in range(60):
        registry.untag(f"team/each{number}", "latest")
    run = reconcile(client())
    registry.stop()
    assert run
    assert run.tags_needing_approval >= 40


def test_what_a_worker_reads_counts_as_reported() -> None:
    """Else it would wait two seconds after every few manifests. Its clock is ahead."""
    asked = timezone.now() + HALF_A_MINUTE
    event = {
        "id": "one",
        "action": "pull",
        "target": {"repository": "team/app", "digest": BLOB.digest},
        "actor": {"name": PANEL_SUBJECT},
        "request": {"useragent": stamped_agent(asked.timestamp())},
    }
    views.store_events(json.dumps({"events": [event]}).encode(), clock.now())
    last = heartbeats.last(Marker.READ)
    assert last
    assert last >= asked - timedelta(microseconds=1)


def test_space_is_counted_anew_after_what_a_clock_behind_says_was_earlier() -> None:
    image = factories.ImageFactory()
    tasks.measure_usage()
    counted = heartbeats.last(Marker.USAGE)
    assert counted
    Marker.objects.filter(name=Marker.USAGE_REST).update(at=counted)
    TagHistoryEntry.objects.create(image=image, tag="1.0", new=BLOB.digest, at=counted - HALF_A_MINUTE)
    tasks.measure_usage()
    assert heartbeats.last(Marker.USAGE) != counted


def test_the_doctor_sees_that_events_are_refused(apart: timedelta, client: Client) -> None:
    web = Scripted(otherwise=answer(status=404))
    registry = RegistryClient(web.url, lambda *_scope: "token", agent=event_probe.agent())
    with statements.before('"registry_sync_event"', lambda: client.post("/registry/events", {})):
        probe = event_probe.try_events(registry)
    web.stop()
    assert probe.refused


def test_keys_that_a_token_waits_for_are_fetched_at_once(apart: timedelta) -> None:
    issuer = factories.IdTokenIssuerFactory(url="https://issuer.example")
    assert keys.ask_refresh(issuer.pk)
    assert keys.any_due()


def test_a_webhook_is_told_at_once(apart: timedelta) -> None:
    account = factories.AccountFactory(has_webhooks=True)
    Webhook.objects.create(
        account=account, url="https://a.example", secrets="", event_types=[EventType.USER_DENIED]
    )
    assert outbox.record(account, EventType.USER_DENIED, subject="robot", data={}) == 1
    assert WebhookDelivery.objects.filter(due_at__lte=clock.now()).exists()


def happened(action: str, at: datetime) -> Event:
    return Event.objects.create(
        event_id=action, action=action, repository="team/app", namespace="team", tag="1.0", digest=BLOB.digest,
        media_type=KIND, actor="robot", method="PUT" if action == "push" else "GET", at=at,
    )  # fmt: skip


def test_the_first_push_into_a_new_namespace_has_its_user_and_pulls_count() -> None:
    """The registry's clock is behind."""
    made: Namespace = factories.NamespaceFactory(name="team")
    registry = ModelRegistry()
    registry.push("team/app", "1.0", KIND, BLOB.digest, BLOB.content)
    for action in ("push", "pull"):
        happened(action, made.created_at - HALF_A_MINUTE)
        processor.process_due(RegistryClient(registry.url, lambda *_scope: "token"))
    registry.stop()
    assert TagHistoryEntry.objects.get().by == "robot"
    assert PullStats.objects.get().count == 1
