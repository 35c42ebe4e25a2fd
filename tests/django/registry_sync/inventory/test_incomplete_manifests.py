"""A config, or a platform's manifest, that was answered with an error once is asked for again."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.inventory import retry_incomplete
from registry_sync.models import SyncRun
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts import images
from tests.parts.images import Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
IMAGE = images.Image(labels={"a": "b"})
TWO = images.two_platforms()
INDEX = images.index(TWO)


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    script.says["/v2/team/app/tags/list"] = answer({"tags": ["1.0"]})
    for image in (IMAGE, *TWO):
        script.says[f"/v2/team/app/manifests/{image.digest}"] = served(image.manifest)
        script.says[f"/v2/team/app/blobs/{image.config.digest}"] = served(image.config)
    script.says[f"/v2/team/app/manifests/{INDEX.digest}"] = served(INDEX)
    yield script
    script.stop()


@pytest.fixture(autouse=True)
def _team() -> None:
    factories.NamespaceFactory(name="team")


def served(blob: Blob) -> Answer:
    return answer(blob.content, Content_Type=blob.media_type)


def refused(code: str = "DENIED", status: int = 403) -> Answer:
    return answer(json.dumps({"errors": [{"code": code}]}), status=status)


def sync(web: Scripted, tag: Blob) -> None:
    web.says["/v2/team/app/manifests/1.0"] = served(tag)
    run = reconcile(RegistryClient(web.url, lambda *_scope: "token"))
    assert run
    assert run.state == SyncRun.State.DONE


def due_now() -> None:
    RepositoryManifest.objects.exclude(due_at=None).update(due_at=timezone.now())


def platforms(digest: str) -> list[str]:
    return [each["platform"] for each in Manifest.objects.get(digest=digest).platforms]


def test_a_config_that_was_refused_once(web: Scripted) -> None:
    config = f"/v2/team/app/blobs/{IMAGE.config.digest}"
    web.says[config], good = refused(), web.says[config]
    sync(web, IMAGE.manifest)
    assert platforms(IMAGE.digest) == []
    row, held = Manifest.objects.get(), RepositoryManifest.objects.get()
    assert held.due_at
    assert held.due_at > timezone.now()  # not in every run
    web.says[config] = good
    sync(web, IMAGE.manifest)
    assert platforms(IMAGE.digest) == []
    due_now()
    sync(web, IMAGE.manifest)
    row.refresh_from_db()
    assert platforms(IMAGE.digest) == ["linux/amd64"]
    assert row.details["config"]["labels"] == {"a": "b"}
    assert row.labels.get().value == "b"
    assert row.created_at
    assert RepositoryManifest.objects.get().due_at is None


def test_one_that_is_refused_again_comes_later_each_time_and_is_given_up(web: Scripted) -> None:
    web.says[f"/v2/team/app/blobs/{IMAGE.config.digest}"] = refused("BLOB_UNKNOWN", 404)
    sync(web, IMAGE.manifest)
    RepositoryManifest.objects.update(
        first_seen_at=timezone.now() - timedelta(hours=2), due_at=timezone.now()
    )
    sync(web, IMAGE.manifest)
    due = RepositoryManifest.objects.get().due_at
    assert due
    assert due > timezone.now() + timedelta(hours=1.9)
    RepositoryManifest.objects.update(
        first_seen_at=timezone.now() - retry_incomplete.GIVE_UP_AFTER, due_at=timezone.now()
    )
    sync(web, IMAGE.manifest)
    assert RepositoryManifest.objects.get().due_at is None


def test_a_platform_that_was_refused_once(web: Scripted) -> None:
    missing = f"/v2/team/app/manifests/{TWO[1].digest}"
    web.says[missing], good = refused(), web.says[missing]
    sync(web, INDEX)
    small = Tag.objects.get().size
    web.says[missing] = good
    due_now()
    sync(web, INDEX)
    row = Manifest.objects.get(digest=INDEX.digest)
    assert not RepositoryManifest.objects.exclude(due_at=None).exists()
    assert all(each["size"] for each in row.platforms)
    assert Tag.objects.get().size == Image.objects.get().size == row.size > small


def test_a_complete_one_is_never_asked_for_again(web: Scripted) -> None:
    sync(web, INDEX)
    assert not RepositoryManifest.objects.exclude(due_at=None).exists()
    web.asked.clear()
    sync(web, INDEX)
    assert len(web.asked) == 3


def two_due(web: Scripted) -> None:
    """Two images whose configs were refused are to be read again."""
    for image in TWO:
        web.says[f"/v2/team/app/blobs/{image.config.digest}"] = refused()
        sync(web, image.manifest)
    due_now()


def test_one_that_a_worker_dies_on_is_not_the_first_of_the_next(web: Scripted) -> None:
    def dies(*_scope: str) -> str:
        raise MemoryError

    two_due(web)
    with pytest.raises(MemoryError):
        retry_incomplete.retry_due(RegistryClient(web.url, dies))
    now = timezone.now()
    assert [row.due_at > now for row in RepositoryManifest.objects.order_by("due_at") if row.due_at] == [
        False,
        True,
    ]


def test_where_the_registry_is_not_reached_the_others_wait(web: Scripted) -> None:
    two_due(web)
    for image in TWO:
        web.says[f"/v2/team/app/manifests/{image.digest}"] = answer(drop=True)
    web.asked.clear()
    retry_incomplete.retry_due(RegistryClient(web.url, lambda *_scope: "token"))
    assert len(web.asked) == 1
