"""A registry whose tags are back, without an event, at what they had left, is said to be rolled back."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Person
from registry_sync import selectors
from registry_sync.client import RegistryClient
from registry_sync.models import Drift, Marker, SyncRun
from registry_sync.reconcile import drift
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.cast import client_for
from tests.django.api.caller import Caller, token_of
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
TAGS = ("1", "2", "3")


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    """team/app:1 to 3, pushed as "old", then as "new", and read each time."""
    factories.NamespaceFactory(name="team")
    Marker.objects.create(name=Marker.EVENTS, at=timezone.now())
    made = ModelRegistry()
    for content in ("old", "new"):
        for tag in TAGS:
            push(made, tag, content)
        sync(made)
    Drift.objects.all().delete()
    yield made
    made.stop()


def push(registry: ModelRegistry, tag: str, content: str) -> None:
    blob = Blob(KIND, json.dumps({"content": content + tag}).encode())
    registry.push("team/app", tag, KIND, blob.digest, blob.content)


def sync(registry: ModelRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, lambda *_scope: "token"))
    assert run
    assert run.state == SyncRun.State.DONE
    return run


def told() -> list[dict[str, object]]:
    return list(AuditEvent.objects.filter(action="sync.rolled_back").values_list("after", flat=True))


def test_three_tags_back_at_what_they_had_left(registry: ModelRegistry, operator: Person) -> None:
    for tag in TAGS:
        push(registry, tag, "old")
    run = sync(registry)
    assert told() == [{"tags": 3}]
    found = selectors.rolled_back(timezone.now())
    assert found
    assert (found.run, found.tags) == (run.pk, 3)
    browser, caller = client_for(operator), Caller(token_of(operator))
    for page in ("/system/", "/system/differences/"):
        assert "The registry was rolled back" in browser.get(page).content.decode()
    leads = 'href="/system/differences/">See the differences</a>'
    assert leads in browser.get("/system/").text
    assert leads not in browser.get("/system/differences/").text
    assert "an earlier image again" in browser.get("/system/differences/").content.decode()
    assert caller.get("system/").json()["rollback"]["tag_count"] == 3
    assert all(each["rolled_back"] for each in caller.get("system/differences/").json()["results"])
    sync(registry)  # once
    assert told() == [{"tags": 3}]


def test_a_tag_that_had_gone_and_is_there_again_counts(registry: ModelRegistry) -> None:
    registry.untag("team/app", "3")
    sync(registry)
    sync(registry)
    for tag in ("1", "2"):
        push(registry, tag, "old")
    push(registry, "3", "new")
    sync(registry)
    assert told() == [{"tags": 3}]


@pytest.mark.parametrize(
    "pushed",
    [
        {"1": "old", "2": "old"},  # two: pushes whose events were lost
        {"1": "newer", "2": "newer", "3": "newer"},  # forward
        {"1": "old", "2": "old", "3": "newer"},
        {"4": "old", "5": "old", "6": "old"},  # tags that never were
    ],
)
def test_what_is_no_rollback(registry: ModelRegistry, operator: Person, pushed: dict[str, str]) -> None:
    for tag, content in pushed.items():
        push(registry, tag, content)
    sync(registry)
    assert Drift.objects.count() == len(pushed)
    assert (told(), selectors.rolled_back(timezone.now())) == ([], None)
    assert "rolled back" not in client_for(operator).get("/system/").content.decode()
    assert Caller(token_of(operator)).get("system/").json()["rollback"] is None


def test_where_the_registry_tells_nothing_nobody_can_say_so(registry: ModelRegistry) -> None:
    Marker.objects.all().delete()
    for tag in TAGS:
        push(registry, tag, "old")
    sync(registry)
    assert told() == []


def test_an_event_that_was_late_takes_it_back_and_a_week_ends_it(registry: ModelRegistry) -> None:
    for tag in TAGS:
        push(registry, tag, "old")
    sync(registry)
    assert selectors.rolled_back(timezone.now() + timedelta(days=8)) is None
    first = Drift.objects.first()
    assert first
    drift.explain("team/app", first.tag, first.new)
    assert selectors.rolled_back(timezone.now()) is None


def test_of_very_many_differences_those_are_kept(registry: ModelRegistry, settings: Any) -> None:
    settings.DRIFT_KEPT_PER_RUN = settings.DRIFT_KEPT_PER_NAMESPACE = 3
    for tag in TAGS:
        push(registry, tag, "old")
    for number in range(10):
        push(registry, f"0{number}", "old")
    sync(registry)
    assert told() == [{"tags": 3}]
