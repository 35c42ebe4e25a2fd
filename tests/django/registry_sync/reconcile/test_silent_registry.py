"""Events while the registry gives no answer at all: none is lost, and not each waits for a time-out of its own."""

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone

from namespaces.models import Tag
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event
from tests import factories
from tests.parts.images import Blob
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
BLOBS = {f"v{n}": Blob(KIND, json.dumps({"n": n}).encode()) for n in range(5)}


@pytest.fixture
def web() -> Iterator[Scripted]:
    factories.NamespaceFactory(name="team")
    script = Scripted()
    for blob in BLOBS.values():
        script.says[f"/v2/team/app/manifests/{blob.digest}"] = answer("late", stall=True)
    yield script
    script.stop()


@pytest.fixture(autouse=True)
def _told() -> None:
    events = [
        {
            "id": tag,
            "action": "push",
            "target": {"mediaType": KIND, "repository": "team/app", "tag": tag, "digest": blob.digest},
        }
        for tag, blob in BLOBS.items()
    ]
    views.store_events(json.dumps({"events": events}).encode(), timezone.now())


def work(web: Scripted) -> None:
    process_due(web.client(read=0.1))


def test_the_first_that_gets_no_answer_is_the_last_that_is_asked(web: Scripted) -> None:
    work(web)
    assert len(web.asked) == 1
    failed = Event.objects.get(event_id="v0")
    assert (failed.problem, failed.applied_at) == ("the answer broke off (ReadTimeoutError)", None)
    others = Event.objects.exclude(event_id="v0")
    assert set(others.values_list("attempts", "problem", "applied_at")) == {(0, "", None)}


def test_when_it_answers_again_all_are_applied(web: Scripted) -> None:
    work(web)
    for blob in BLOBS.values():
        web.says[f"/v2/team/app/manifests/{blob.digest}"] = answer(blob.content, Content_Type=KIND)
    Event.objects.update(due_at=timezone.now())
    work(web)
    assert set(Tag.objects.values_list("name", flat=True)) == set(BLOBS)


def test_an_error_about_one_thing_stops_no_other(web: Scripted) -> None:
    for blob in BLOBS.values():
        web.says[f"/v2/team/app/manifests/{blob.digest}"] = answer(blob.content, Content_Type=KIND)
    web.says[f"/v2/team/app/manifests/{BLOBS['v0'].digest}"] = answer(status=503)
    work(web)
    assert set(Tag.objects.values_list("name", flat=True)) == set(BLOBS) - {"v0"}
