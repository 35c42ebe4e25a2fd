"""A real push becomes a signed message at its receiver; whoever is killed meanwhile, none is lost and none invented."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Verifier

from accounts.outbound.addresses import networks_from
from accounts.principal import SYSTEM
from namespaces.models import WebhookDelivery
from namespaces.services import webhooks
from namespaces.webhooks import delivery
from registry_sync.client import RegistryClient
from registry_sync.events import processor
from registry_sync.models import Event
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.contract import removals
from tests.contract.conftest import bearer, delete, push
from tests.parts import clients, images, processes, team
from tests.parts.registries import RunningRegistry
from tests.parts.scripted import Answer, Scripted

pytestmark = pytest.mark.contract


@pytest.fixture
def receiver() -> Iterator[Scripted]:
    script = Scripted(otherwise=Answer(204))
    yield script
    script.stop()


def until(holds: Callable[[], bool], registry: RunningRegistry) -> None:
    """Works as the worker does, until it holds."""
    ends = timezone.now().timestamp() + processes.PATIENCE
    while not holds():
        assert timezone.now().timestamp() < ends
        processor.process_due(RegistryClient(registry.url, PanelTokens()))
        delivery.deliver_due(seconds=5)


def skopeo_push(skopeo: clients.Client, registry: RunningRegistry, folder: Path, image: images.Image) -> None:
    images.write_layout(folder, image)
    token = bearer("team/app", "pull", "push", subject="ci")["Authorization"].removeprefix("Bearer ")
    host = registry.url.removeprefix("http://")
    skopeo(
        "copy", "--dest-tls-verify=false", "--dest-registry-token", token, f"oci:{folder}:latest",
        f"docker://{host}/team/app:1.0",
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_push_by_skopeo_is_told_and_signed(
    telling_registry: RunningRegistry,
    skopeo: clients.Client,
    receiver: Scripted,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.WEBHOOK_NETWORKS, settings.EVENT_CONFIRM_AFTER = networks_from(["127.0.0.0/8"]), 0.3
    account = factories.NamespaceFactory(name="team").account
    push(telling_registry, "team/app", "old", images.Image(env=["OLD=1"]))
    reconcile(RegistryClient(telling_registry.url, PanelTokens()))
    until(lambda: Event.objects.filter(tag="old", due_at=None).exists(), telling_registry)
    made = webhooks.create(
        by=SYSTEM, account=account, url=f"{receiver.url}/hook", format="cloudevents",
        event_types=["image.pushed", "tag.deleted"],
    )  # fmt: skip
    first, second = images.Image(env=["A=1"]), images.Image(env=["A=2"])
    for number, image in enumerate((first, second)):
        skopeo_push(skopeo, telling_registry, tmp_path / str(number), image)
        until(lambda: len(receiver.posted) > number, telling_registry)  # noqa: B023
    delete(telling_registry, "team/app", second.digest)
    until(lambda: len(receiver.posted) > 2, telling_registry)
    until(lambda: not Event.objects.exclude(due_at=None).exists(), telling_registry)
    assert not WebhookDelivery.objects.exclude(state="delivered").exists()
    events = [Verifier(made.signing_secret).verify(each.body, each.headers) for each in receiver.posted]
    assert [
        (each["type"], each["data"]["tag"], each["data"]["previousDigest"], each["data"]["digest"])
        for each in events
    ] == [
        ("registry-manager.image.pushed", "1.0", None, first.digest),
        ("registry-manager.image.pushed", "1.0", first.digest, second.digest),
        ("registry-manager.tag.deleted", "1.0", second.digest, None),
    ]
    assert events[0]["data"]["actor"] == "ci"
    assert events[0]["data"]["mediaType"] == images.MANIFEST


@pytest.mark.django_db(transaction=True)
def test_what_is_done_in_the_panel_is_told_once_with_the_person_who_did_it(
    telling_registry: RunningRegistry, receiver: Scripted, settings: Any
) -> None:
    """The registry reports it too, as pushes of ours that name nobody."""
    settings.WEBHOOK_NETWORKS, settings.EVENT_CONFIRM_AFTER = networks_from(["127.0.0.0/8"]), 0.3
    there = removals.place(telling_registry)
    first, second = (push(telling_registry, "team/app", "1.0", images.Image(env=[f"A={n}"])) for n in "12")
    until(lambda: there_is_nothing_to_apply(2), telling_registry)
    webhooks.create(
        by=there.by, account=there.image().namespace.account, url=f"{receiver.url}/hook", format="cloudevents",
        event_types=["image.pushed", "image.restored", "tag.deleted"],
    )  # fmt: skip
    there.restore("1.0", first)
    there.work()
    until(lambda: len(receiver.posted) > 0, telling_registry)
    there.untag("1.0")
    there.work()
    until(lambda: len(receiver.posted) > 1, telling_registry)
    until(lambda: there_is_nothing_to_apply(3), telling_registry)
    assert not WebhookDelivery.objects.exclude(state="delivered").exists()
    events = [json.loads(each.body) for each in receiver.posted]
    told = [
        (each["type"], each["data"]["previousDigest"], each["data"]["digest"], each["data"]["actor"])
        for each in events
    ]
    assert told == [
        ("registry-manager.image.restored", second, first, there.by.label),
        ("registry-manager.tag.deleted", first, None, there.by.label),
    ]


def there_is_nothing_to_apply(pushes: int) -> bool:
    """So many pushes were reported, and nothing waits."""
    reported = Event.objects.filter(action="push", tag="1.0")
    return reported.count() >= pushes and not Event.objects.exclude(due_at=None).exists()


MAKE = """
from accounts.models import Account
from accounts.principal import SYSTEM
from namespaces.models import WebhookDelivery
from namespaces.services import webhooks
account = Account.objects.create(name="a", handle="a")
made = webhooks.create(by=SYSTEM, account=account, url="{url}/hook", format="cloudevents",
                       event_types=["retention.finished"])
"""
MESSAGE = """
from namespaces.models import Webhook, WebhookDelivery
WebhookDelivery.objects.create(webhook=Webhook.objects.get(), event_type="retention.finished", data={"n": 1})
"""
DIE = """
import os, signal
from namespaces.webhooks import delivery
delivery.{point} = lambda *_a, **_k: os.kill(os.getpid(), signal.SIGKILL)
delivery.deliver_due(seconds=60)
"""
GO_ON = """
from django.utils import timezone
from namespaces.models import WebhookDelivery
from namespaces.webhooks import delivery
WebhookDelivery.objects.exclude(due_at=None).update(due_at=timezone.now())
delivery.deliver_due(seconds=60)
print("LEFT", WebhookDelivery.objects.exclude(state="delivered").count())
"""


@pytest.mark.parametrize(
    ("point", "times"),
    [("_begin", 1), ("send", 1), ("_keep", 2)],  # taken; begun; answered, and nobody wrote it down
)
def test_a_worker_killed_at_any_point_loses_no_message(
    receiver: Scripted, tmp_path: Path, point: str, times: int
) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env = kept | {"DATA_DIR": str(tmp_path / "data"), "WEBHOOK_NETWORKS": "127.0.0.0/8"}
    team.install(env, MAKE.format(url=receiver.url) + MESSAGE)
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", DIE.format(point=point)]
    killed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert team.shell(env, GO_ON).splitlines()[-1] == "LEFT 0"
    ids = [each.headers["webhook-id"] for each in receiver.posted]
    assert (len(ids), len(set(ids))) == (times, 1)
