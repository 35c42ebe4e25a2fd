"""What could not be read by an earlier release is read again, whole."""

import json
from collections.abc import Iterator

import pytest
from django.utils import timezone

from namespaces.models import Manifest, RepositoryManifest
from registry_sync.client import RegistryClient
from registry_sync.inventory import retry_incomplete
from tests import factories
from tests.parts import images
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Iterator[ModelRegistry]:
    made = ModelRegistry()
    yield made
    made.stop()


def test_a_manifest_that_was_unknown(web: ModelRegistry) -> None:
    body = {"config": {}, "layers": None, "subject": {"digest": images.Image().digest}}
    blob = Blob(images.MANIFEST, json.dumps(body).encode())
    web.hold("team/app", blob.media_type, blob.digest, blob.content)
    image = factories.ImageFactory(namespace__name="team", name="app")
    row = factories.ManifestFactory(digest=blob.digest, kind="unknown", complete=False)
    RepositoryManifest.objects.create(image=image, manifest=row, due_at=timezone.now())
    retry_incomplete.retry_due(RegistryClient(web.url, lambda *_scope: "token"))
    row = Manifest.objects.get()
    assert (row.kind, row.subject, row.complete) == ("artifact", images.Image().digest, True)
    assert RepositoryManifest.objects.get().due_at is None
