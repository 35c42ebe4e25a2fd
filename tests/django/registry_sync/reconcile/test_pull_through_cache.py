"""A pull-through cache whose upstream is away answers 404 for what exists: nothing goes, if the panel was told so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from namespaces.models import Image, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.doctor import local
from registry_sync.doctor import registry as judge
from registry_sync.doctor.observations import Answer as Seen
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event, Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts.images import MANIFEST, Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
BLOB = Blob(MANIFEST, b'{"schemaVersion": 2, "layers": []}')


@pytest.fixture
def web() -> Iterator[Scripted]:
    factories.NamespaceFactory(name="team")
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    script.says["/v2/team/app/tags/list"] = answer({"tags": ["1.0"]})
    for reference in ("1.0", BLOB.digest):
        script.says[f"/v2/team/app/manifests/{reference}"] = answer(BLOB.content, Content_Type=MANIFEST)
    sync(script)
    yield script
    script.stop()


def sync(web: Scripted) -> SyncRun:
    run = reconcile(RegistryClient(web.url, lambda *_scope: "token"))
    assert run
    return run


def goes_away(web: Scripted) -> None:
    web.says["/v2/_catalog"] = answer({"repositories": []})
    web.says["/v2/team/app/tags/list"] = absent("NAME_UNKNOWN")
    for reference in ("1.0", BLOB.digest):
        web.says[f"/v2/team/app/manifests/{reference}"] = absent("MANIFEST_UNKNOWN")


def absent(code: str) -> Answer:
    return answer({"errors": [{"code": code}]}, status=404)


def tell(web: Scripted, action: str, **target: str) -> None:
    event = {"id": action, "action": action, "target": {"repository": "team/app", **target}}
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    for _often in range(6):
        process_due(RegistryClient(web.url, lambda *_scope: "token"))
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())


@pytest.mark.parametrize("is_cache", [True, False])
def test_nothing_goes_that_a_cache_says_is_absent(web: Scripted, settings: Any, is_cache: bool) -> None:
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = is_cache
    goes_away(web)
    tell(web, "delete", digest=BLOB.digest)
    for _twice in range(3):
        sync(web)
    assert Tag.objects.filter(missing_since=None).exists() is is_cache
    assert RepositoryManifest.objects.filter(gone_at=None).exists() is is_cache
    assert (Image.objects.count(), Repository.objects.count()) == ((1, 1) if is_cache else (0, 0))


def test_its_list_without_tags_takes_none(web: Scripted, settings: Any) -> None:
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    goes_away(web)
    web.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    web.says["/v2/team/app/tags/list"] = answer({"tags": []})
    web.otherwise = absent("BLOB_UNKNOWN")  # its upstream answers
    for _twice in range(3):
        assert sync(web).state == SyncRun.State.DONE
    tag = Tag.objects.get()
    assert tag.missing_since is None


def test_an_event_of_what_it_cannot_show_is_settled(web: Scripted, settings: Any) -> None:
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    goes_away(web)
    tell(web, "push", digest=BLOB.digest, tag="1.0", mediaType=MANIFEST)
    assert Event.objects.get().due_at is None
    assert Tag.objects.get().manifest_id == BLOB.digest


def test_the_doctor_tells_how_to_say_so() -> None:
    found = judge.deletion(Seen(status=405), local.panel_settings())
    assert "REGISTRY_IS_PULL_THROUGH_CACHE=true" in [fix.lines for fix in found.fixes]
