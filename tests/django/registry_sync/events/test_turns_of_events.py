"""Ten thousand events of one account, and the one push of another: it is not made to wait for them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from namespaces.models import Namespace, PullStats, Tag
from registry_sync.events import due_events, processor, views
from registry_sync.models import Event, Repository
from tests import factories
from tests.parts.images import Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
FLOOD = due_events.BATCH + 50
QUIET, LATER = (Blob(KIND, json.dumps({"n": n}).encode()) for n in (1, 2))


@pytest.fixture
def web() -> Iterator[Scripted]:
    loud = factories.AccountFactory()
    for name in ("loud-1", "loud-2"):
        factories.NamespaceFactory(name=name, account=loud)
    factories.NamespaceFactory(name="quiet")
    script = Scripted()
    for blob in (QUIET, LATER):
        script.says[f"/v2/quiet/app/manifests/{blob.digest}"] = answer(blob.content, Content_Type=KIND)
    yield script
    script.stop()


@pytest.fixture
def once(settings: Any) -> None:
    """What failed is not due again, however long the machine takes for all of it."""
    settings.EVENT_RETRY_AFTER = 600


def push(repository: str, tag: str, digest: str) -> dict[str, Any]:
    target = {"mediaType": KIND, "repository": repository, "tag": tag, "digest": digest}
    return {"id": f"{repository}-{tag}", "action": "push", "target": target}


def told(*events: dict[str, Any]) -> None:
    views.store_events(json.dumps({"events": events}).encode(), timezone.now())


def flood(many: int = FLOOD) -> list[dict[str, Any]]:
    """Of what the registry fails for."""
    return [push(f"loud-{n % 2 + 1}/app", f"t{n}", f"sha256:{n:064}") for n in range(many)]


def work(web: Scripted, **seconds: float) -> None:
    processor.process_due(web.client(**seconds))


def asked_of(web: Scripted) -> list[str]:
    return [path.split("/")[2] for path in web.asked]


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize("many", [20, FLOOD])
def test_a_push_behind_a_flood_of_another_account_has_the_second_turn(web: Scripted, many: int) -> None:
    """Also where the flood comes from several namespaces."""
    told(*flood(many))
    told(push("quiet/app", "1", QUIET.digest))
    work(web)
    assert asked_of(web).index("quiet") == 1
    assert Tag.objects.filter(name="1").exists()
    assert not Event.objects.filter(attempts=0).exists()


@pytest.mark.usefixtures("once")
@pytest.mark.django_db(transaction=True)
def test_a_push_that_comes_while_a_flood_is_worked_through_is_next_but_one(
    web: Scripted, settings: Any
) -> None:
    settings.EVENT_TURN = 0
    events = flood()
    told(*events)

    def and_a_push(_headers: Any) -> Answer:
        try:
            told(push("quiet/app", "1", QUIET.digest))
        finally:
            connections.close_all()
        return answer(status=503)

    path = f"/v2/{events[5]['target']['repository']}/manifests/{events[5]['target']['digest']}"
    web.says[path] = and_a_push
    work(web)
    assert asked_of(web).index("quiet") - web.asked.index(path) <= 2


def test_one_account_of_whose_images_the_registry_says_nothing_stops_no_other(web: Scripted) -> None:
    events = flood(6)
    for event in events:
        target = event["target"]
        web.says[f"/v2/{target['repository']}/manifests/{target['digest']}"] = answer("late", stall=True)
    told(*events)
    for blob in (QUIET, LATER):
        told(push("quiet/app", blob.digest[-12:], blob.digest))
        web.asked.clear()
        work(web, read=0.1)
        assert Tag.objects.filter(manifest=blob.digest).exists()
        assert len([name for name in asked_of(web) if name.startswith("loud")]) == 1
    assert asked_of(web)[0] == "quiet"  # who failed before is not asked first


def test_pulls_that_cannot_be_counted_keep_nobody_elses_from_being_counted(web: Scripted) -> None:
    """Before all others stood, for ever, what a column of PostgreSQL does not take."""
    for namespace in Namespace.objects.exclude(name="loud-2"):
        image = factories.ImageFactory(namespace=namespace, name="app")
        Repository.objects.create(name=image.repository, image=image)
    pulls = [
        {
            "id": f"{name}-{actor}",
            "action": "pull",
            "actor": {"name": actor},
            "target": {"mediaType": KIND, "repository": name, "tag": "1", "digest": QUIET.digest},
        }
        for name, actor in (("loud-1/app", "x" * 64), ("loud-1/app", "one"), ("quiet/app", "two"))
    ]
    told(*pulls)
    work(web)
    assert {"one", "two"} <= set(PullStats.objects.values_list("username", flat=True))
    assert not Event.objects.filter(problem="", due_at__isnull=False).exists()
