"""When an event that could not be applied is tried again."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.common import clock
from namespaces.models import Tag
from registry_sync.events import processor, views
from registry_sync.models import Event
from tests import factories
from tests.parts.images import Blob
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
PUSHED = Blob(KIND, json.dumps({"n": 1}).encode())
MANIFEST, TAG = (f"/v2/team/app/manifests/{each}" for each in (PUSHED.digest, "1"))


@pytest.fixture
def web() -> Iterator[Scripted]:
    factories.NamespaceFactory(name="team")
    target = {"mediaType": KIND, "repository": "team/app", "tag": "1", "digest": PUSHED.digest}
    event = {"id": "1", "action": "push", "target": target}
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    script = Scripted()
    script.says[TAG] = script.says[MANIFEST] = answer(PUSHED.content, Content_Type=KIND)
    yield script
    script.stop()


def work(web: Scripted, **seconds: float) -> timedelta:
    """How long it rests then."""
    now: datetime = clock.now()
    Event.objects.update(due_at=now)
    processor.process_due(web.client(**seconds))
    due_at = Event.objects.get().due_at
    assert due_at
    return due_at - now


def test_what_is_not_shown_yet_is_tried_again_after_a_second_and_ever_later(web: Scripted) -> None:
    web.says[MANIFEST] = answer(status=503)
    assert [round(work(web).total_seconds()) for _each in range(4)] == [1, 2, 4, 8]
    web.says[MANIFEST] = answer(PUSHED.content, Content_Type=KIND)
    work(web)
    assert Tag.objects.get().manifest_id == PUSHED.digest


def test_what_takes_long_to_fail_leaves_the_others_as_long(web: Scripted) -> None:
    web.says[MANIFEST] = answer("late", stall=True)
    assert work(web, read=1.5) > timedelta(seconds=2.9)  # it took half of that


def test_a_registry_that_hides_a_tag_and_fails_has_as_long_to_show_it(web: Scripted) -> None:
    """A question that failed counts as one that was asked, so the next must not come sooner for it."""
    assert round(work(web).total_seconds()) == 2
    web.says[TAG] = answer(status=503)
    assert [round(work(web).total_seconds()) for _each in range(2)] == [8, 16]
    assert Tag.objects.get().missing_since is None
