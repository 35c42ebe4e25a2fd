"""The registry answers with manifests, and the storage behind it not with what they name."""

from collections.abc import Iterator
from typing import Any

import pytest

from namespaces.models import Manifest, RepositoryManifest, Tag
from registry_sync.client import TemporaryFailure
from registry_sync.inventory import fetcher, refresh
from registry_sync.models import Repository, SyncRun
from registry_sync.reconcile.repositories import RepositoryReconciler
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.parts import images
from tests.parts.images import Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
TWO = images.two_platforms()
INDEX = images.index(TWO)


@pytest.fixture
def web() -> Iterator[Scripted]:
    factories.NamespaceFactory(name="team")
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    yield script
    script.stop()


def holds(web: Scripted, tags: dict[str, Blob], *more: images.Image) -> list[str]:
    """Returns the paths of the configs."""
    web.says["/v2/team/app/tags/list"] = answer({"tags": list(tags)})
    for tag, blob in tags.items():
        web.says[f"/v2/team/app/manifests/{tag}"] = served(blob)
    for image in more:
        web.says[f"/v2/team/app/manifests/{image.digest}"] = served(image.manifest)
        web.says[config(image)] = served(image.config)
    return [config(image) for image in more]


def served(blob: Blob) -> Answer:
    return answer(blob.content, Content_Type=blob.media_type)


def config(image: images.Image) -> str:
    return f"/v2/team/app/blobs/{image.config.digest}"


def sync(web: Scripted) -> SyncRun:
    run = reconcile(web.client())
    assert run
    return run


def test_where_many_get_no_answer_the_rest_is_not_asked_for(web: Scripted) -> None:
    many = {f"v{n}": images.Image(labels={"n": str(n)}) for n in range(100)}
    configs = holds(web, {tag: image.manifest for tag, image in many.items()}, *many.values())
    for path in configs:
        web.says[path] = answer(drop=True)
    run = sync(web)
    assert (run.state, run.unreadable) == (SyncRun.State.INCOMPLETE, 1)
    assert (
        len([path for path in web.asked if "/blobs/" in path]) <= fetcher.NO_RESPONSE_MAX + fetcher.PARALLEL
    )
    assert not Tag.objects.exists()


def test_one_without_an_answer_holds_up_no_other(web: Scripted) -> None:
    bad, good = images.Image(labels={"n": "bad"}), images.Image(labels={"n": "good"})
    path, _good = holds(web, {"bad": bad.manifest, "good": good.manifest}, bad, good)
    web.says[path], config = answer(drop=True), web.says[path]
    assert sync(web).unreadable == 1
    assert Tag.objects.get().name == "good"
    web.says[path] = config
    assert sync(web).state == SyncRun.State.DONE
    assert set(Tag.objects.values_list("name", flat=True)) == {"bad", "good"}


def test_an_index_waits_for_its_platforms(web: Scripted) -> None:
    holds(web, {"1.0": INDEX}, *TWO)
    path = f"/v2/team/app/manifests/{TWO[1].digest}"
    web.says[path], good = answer(drop=True), web.says[path]
    sync(web)
    assert not Tag.objects.exists()
    assert not Manifest.objects.filter(digest=INDEX.digest).exists()
    web.says[path] = good
    sync(web)
    assert RepositoryManifest.objects.get(manifest=INDEX.digest).due_at is None
    assert Tag.objects.get().manifest_id == INDEX.digest


def test_whoever_waits_for_it_says_that_he_lives(web: Scripted, settings: Any) -> None:
    """Else another takes the part over, and hangs as well."""
    settings.LEASE_PACE = 0
    image = images.Image()
    (path,) = holds(web, {"1.0": image.manifest}, image)
    web.says[path] = answer("late", stall=True)
    Repository.objects.create(name="team/app", image=factories.ImageFactory(namespace__name="t", name="app"))
    signs: list[int] = []
    with RepositoryReconciler(web.client(read=1)) as reader:
        ids = Repository.objects.values_list("id", flat=True)
        reader.read(SyncRun.objects.create(), ids, alive=lambda: signs.append(1))
    assert len(signs) > 5


def test_a_tag_keeps_its_mark_while_what_it_points_at_now_cannot_be_stored(web: Scripted) -> None:
    old, new = images.Image(labels={"n": "old"}), images.Image(labels={"n": "new"})
    holds(web, {"1.0": old.manifest}, old)
    sync(web)
    web.says["/v2/team/app/manifests/1.0"] = answer(status=500)
    sync(web)
    (path,) = holds(web, {"1.0": new.manifest}, new)
    web.says[path], good = answer(drop=True), web.says[path]
    tag, asking = Tag.objects.get(), web.client()
    with pytest.raises(TemporaryFailure):
        refresh.refresh_tag(tag.image, "1.0", asking, take_away=False)
    tag.refresh_from_db()
    assert tag.unreadable_since
    assert tag.manifest_id == old.digest
    web.says[path] = good
    refresh.refresh_tag(tag.image, "1.0", asking, take_away=False)
    tag.refresh_from_db()
    assert (tag.unreadable_since, tag.manifest_id) == (None, new.digest)
