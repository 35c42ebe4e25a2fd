"""What a deleted namespace left in the registry, and is deleted there later: it must not be needed for ever."""

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone

from namespaces.models import FormerManifest
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event
from tests import factories
from tests.parts import images
from tests.parts.images import MANIFEST
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    yield script
    script.stop()


@pytest.mark.parametrize("served", [False, True])
def test_it_is_gone_once_the_registry_says_so_too(web: Scripted, served: bool) -> None:
    body = images.Image().manifest
    left = factories.ManifestFactory(digest=body.digest, media_type=MANIFEST)
    for repository in ("none/app", "none/other"):
        FormerManifest.objects.create(account_id=1, repository=repository, manifest=left)
    absent = answer({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
    held = answer(body.content, Content_Type=MANIFEST)
    web.says[f"/v2/none/app/manifests/{body.digest}"] = held if served else absent
    target = {"mediaType": MANIFEST, "repository": "none/app", "digest": left.digest}
    event = {"id": "1", "action": "delete", "target": target}
    views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    process_due(RegistryClient(web.url, lambda *_scope: "token"))
    assert Event.objects.get().problem == ""
    gone = {row.repository: bool(row.gone_at) for row in FormerManifest.objects.all()}
    assert gone == {"none/app": not served, "none/other": False}
