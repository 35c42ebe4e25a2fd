"""What an image holds and nobody can read holds every other deletion, and is named by pages and rules."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.common.errors import Conflict
from namespaces.models import Image, Manifest, RepositoryManifest
from registry_sync.deletion import service
from registry_sync.models import RemovalItem, Repository, RetentionRule, RetentionRun, SyncRun
from registry_sync.retention import runs
from tests import factories
from tests.cast import Cast, principal_of

pytestmark = pytest.mark.django_db
SENTENCE = "tagged odd, cannot be read"


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    Repository.objects.create(name="team/app", image=made)
    put(made, "1.0", factories.ManifestFactory())
    return made


def put(image: Image, tag: str, manifest: Manifest) -> Manifest:
    factories.TagFactory(
        image=image, name=tag, manifest=manifest, pushed_at=timezone.now() - timedelta(days=99)
    )
    RepositoryManifest.objects.create(image=image, manifest=manifest)
    return manifest


def odd(**more: str) -> Manifest:
    made: Manifest = factories.ManifestFactory(kind="unknown", platforms=[], **more)
    return made


def refused(image: Image, *tags: str) -> str:
    return service.preview(image, tags=tags).blocked_reason


def test_all_but_its_own_deletion(image: Image) -> None:
    assert refused(image, "1.0") == ""
    other = odd()
    put(image, "odd", other)
    assert SENTENCE in refused(image, "1.0")
    assert SENTENCE in refused(image, "1.0", "odd")
    assert refused(image, "odd") == ""
    other.repository_manifests.update(gone_at=timezone.now())
    other.tags.all().delete()
    assert refused(image, "1.0") == ""


def test_two_of_them_do_not_hold_each_other(image: Image) -> None:
    put(image, "odd", odd())
    put(image, "odder", odd())
    assert (refused(image, "odd"), refused(image, "odd", "odder")) == ("", "")


def test_one_without_a_tag_is_named_by_its_digest(image: Image) -> None:
    manifest = odd()
    RepositoryManifest.objects.create(image=image, manifest=manifest)
    assert f"{manifest.digest}, which has no tag, cannot be read" in refused(image, "1.0")


def test_another_images_holds_nothing_here_nor_does_dockers_first_form(image: Image) -> None:
    elsewhere = factories.ImageFactory(namespace=image.namespace)
    put(elsewhere, "odd", odd())
    put(image, "old", odd(media_type="application/vnd.docker.distribution.manifest.v1+prettyjws"))
    assert refused(image, "1.0") == ""


def test_tags_are_removed_all_the_same(cast: Cast, image: Image) -> None:
    put(image, "odd", odd())
    digest = image.tags.get(name="1.0").manifest_id
    assert service.untag(by=principal_of(cast.owner), image=image, tags={"1.0": digest})


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_the_page_says_so_and_nothing_is_asked_for(cast: Cast, image: Image, who: str) -> None:
    put(image, "odd", odd())
    here = "/a/team-red/n/team/i/app/-/"
    assert SENTENCE in cast.client(who).get(f"{here}delete-preview/?tag=1.0").content.decode()
    assert (
        "Delete from the registry" in cast.client(who).get(f"{here}delete-preview/?tag=odd").content.decode()
    )
    told = service.preview(image, tags=["1.0"]).preview_digest
    answer = cast.client(who).post(f"{here}delete/", {"tag": "1.0", "preview_digest": told, "confirm": "app"})
    assert answer.status_code == 400
    assert SENTENCE in answer.content.decode()
    assert not RemovalItem.objects.exists()


def test_a_rule_leaves_the_image_out_and_says_why(cast: Cast, image: Image) -> None:
    SyncRun.objects.create(state="done", started_at=timezone.now(), finished_at=timezone.now())
    other = factories.ImageFactory(namespace=image.namespace, name="other")
    Repository.objects.create(name="team/other", image=other)
    gone = put(other, "1.0", factories.ManifestFactory())
    put(image, "odd", odd())
    rule = RetentionRule.objects.create(namespace=image.namespace, keep_days=30, enabled=True)
    for page in ("preview/", "preview/?image=app"):
        text = cast.client("viewer").get(f"/a/team-red/n/team/rules/{rule.pk}/{page}").content.decode()
        assert f"app is left out: {odd_digest(image)}, {SENTENCE}" in text
    runs.plan_due()
    assert [item.digest for item in RemovalItem.objects.all()] == [gone.digest]
    run = RetentionRun.objects.get()
    assert f"app is left out: {odd_digest(image)}, {SENTENCE}" in run.problem
    other.delete()


def odd_digest(image: Image) -> str:
    return image.tags.get(name="odd").manifest_id.removeprefix("sha256:")[:12]


def test_where_all_its_images_are_left_out_the_run_is_skipped(image: Image) -> None:
    SyncRun.objects.create(state="done", started_at=timezone.now(), finished_at=timezone.now())
    put(image, "odd", odd())
    RetentionRule.objects.create(namespace=image.namespace, keep_days=30, enabled=True)
    runs.plan_due()
    run = RetentionRun.objects.get()
    assert (run.state, SENTENCE in run.problem) == ("skipped", True)


@pytest.mark.parametrize("is_cache", [True, False])
def test_where_the_registry_is_a_cache_the_run_is_skipped(
    image: Image, settings: Any, is_cache: bool
) -> None:
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = is_cache
    SyncRun.objects.create(state="done", started_at=timezone.now(), finished_at=timezone.now())
    RetentionRule.objects.create(namespace=image.namespace, keep_days=30, enabled=True)
    runs.plan_due()
    run = RetentionRun.objects.get()
    assert (run.state == "skipped", "pull-through cache" in run.problem) == (is_cache, is_cache)
    assert RemovalItem.objects.exists() is not is_cache


def test_it_is_refused_also_to_who_asks_without_looking(cast: Cast, image: Image) -> None:
    told = service.preview(image, tags=["1.0"]).preview_digest
    put(image, "odd", odd())
    with pytest.raises(Conflict, match=SENTENCE):
        service.delete(
            by=principal_of(cast.owner),
            image=image,
            tags=["1.0"],
            digests=(),
            preview_digest=told,
            confirmation="app",
        )
