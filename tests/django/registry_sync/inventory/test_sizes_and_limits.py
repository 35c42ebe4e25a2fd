"""How much there is, what is not here, and what is not read to its end: said as it is."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from namespaces.manifests.queries import UNTAGGED_SHOWN
from namespaces.models import Image, Manifest, RepositoryManifest, Tag
from registry_sync.client import RegistryClient
from registry_sync.deletion import graph, impact
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.inventory.parser import LAYERS_MAX
from registry_sync.models import SyncRun
from registry_sync.reconcile.run import reconcile
from tests.cast import Cast
from tests.factories import ImageFactory, ManifestFactory, NamespaceFactory
from tests.parts import images
from tests.parts.images import INDEX, MANIFEST, Blob
from tests.parts.scripted import Answer, Scripted, answer

pytestmark = pytest.mark.django_db
TWO = images.two_platforms()
AT = "/a/team-red/n/team/i/app/"


@pytest.fixture
def web(cast: Cast) -> Iterator[Scripted]:
    NamespaceFactory(account=cast.account, name="team")
    script = Scripted()
    script.says["/v2/_catalog"] = answer({"repositories": ["team/app"]})
    script.says["/v2/team/app/tags/list"] = answer({"tags": ["1.0"]})
    yield script
    script.stop()


def holds(web: Scripted, *blobs: Blob, tag: Blob | None = None) -> None:
    for blob in blobs:
        kind = "manifests" if blob.media_type in (INDEX, MANIFEST) else "blobs"
        web.says[f"/v2/team/app/{kind}/{blob.digest}"] = served(blob)
    if tag:
        web.says["/v2/team/app/manifests/1.0"] = served(tag)


def served(blob: Blob) -> Answer:
    return answer(blob.content, Content_Type=blob.media_type)


def absent() -> Answer:
    return answer({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)


def sync(web: Scripted) -> SyncRun:
    run = reconcile(RegistryClient(web.url, lambda *_scope: "token"))
    assert run
    assert run.state == SyncRun.State.DONE
    return run


def test_what_is_not_here_has_no_size(web: Scripted, cast: Cast) -> None:
    index = images.index(TWO)
    holds(web, tag=index)
    for image in TWO:
        web.says[f"/v2/team/app/manifests/{image.digest}"] = absent()
    sync(web)
    assert [each["size"] for each in Manifest.objects.get().platforms] == [None, None]
    client = cast.client("viewer")
    for page in (AT, f"{AT}-/tags/1.0/", f"{AT}-/manifests/{index.digest}/", "/a/team-red/images/"):
        assert "0 B" not in client.get(page).text
    assert "its platforms are not in this image" in client.get(AT).text
    told = client.get("/api/v1/accounts/team-red/namespaces/team/images/app/-/tags/1.0/").json()
    assert [each["size_bytes"] for each in told["platforms"]] == [None, None]


def test_a_platform_that_is_listed_twice_counts_once(web: Scripted) -> None:
    (one, _two) = TWO
    entry = {**one.manifest.descriptor, "platform": one.platform}
    holds(web, one.manifest, one.config, tag=images.index_with([entry, entry]))
    sync(web)
    assert Tag.objects.get().size == Manifest.objects.get(digest=one.digest).size


@pytest.mark.parametrize("first", ["index", "its platforms"])
def test_what_an_index_lists_without_its_platform_has_that_of_its_config(web: Scripted, first: str) -> None:
    index = images.index_of(*(image.manifest for image in TWO))
    holds(web, *(blob for image in TWO for blob in (image.manifest, image.config)), tag=index)
    if first != "index":
        for image in TWO:
            holds(web, tag=image.manifest)
            sync(web)
    holds(web, tag=index)
    sync(web)
    row = Manifest.objects.get(digest=index.digest)
    assert [each["platform"] for each in row.platforms] == ["linux/amd64", "linux/arm64"]


def test_layers_that_garbage_collection_would_lose_are_marked(web: Scripted, cast: Cast) -> None:
    odd = {"mediaType": images.LAYER, "digest": "sha512:" + "a" * 128, "size": 1}
    usual = [{**odd, "digest": f"sha256:{number:064}"} for number in range(LAYERS_MAX)]
    for layers, config in (([odd], {}), ([*usual, odd], {}), ([], odd), ([], {})):
        said = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        holds(web, tag=Blob(MANIFEST, json.dumps(said).encode()))
        sync(web)
        page = cast.client("viewer").get(f"{AT}-/tags/1.0/?tab=layers").text
        assert ("have sha512 digests" in page) is (odd in (*layers, config))


def test_all_that_is_hung_onto_an_image_goes_with_it_however_much(
    web: Scripted, cast: Cast, settings: Any
) -> None:
    settings.INDEX_MANIFESTS_MAX = 200
    image = TWO[0]
    subject = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest.content)}
    hung = [_about(subject, n) for n in range(230)]
    referrers = images.index_of(*hung)
    holds(web, image.config, *hung, image.manifest, tag=image.manifest)
    name = image.digest.replace(":", "-")
    web.says["/v2/team/app/tags/list"] = answer({"tags": ["1.0", name]})
    web.says[f"/v2/team/app/manifests/{name}"] = served(referrers)
    web.says[f"/v2/team/app/manifests/{referrers.digest}"] = served(referrers)
    sync(web)
    RepositoryManifest.objects.exclude(due_at=None).update(due_at=timezone.now())
    sync(web)  # the rest is read when the list is read again
    assert RepositoryManifest.objects.get(manifest=referrers.digest).due_at is None
    found = impact.impact(graph.load_graph(Image.objects.get(), [image.digest]), digests=[image.digest])
    assert len(found.referrers) == 230 + 1
    page = cast.client("viewer").get(f"{AT}-/tags/1.0/?tab=referrers").text
    assert "the first 200; deleting the image deletes all of them" in page


def _about(subject: dict[str, Any], number: int) -> Blob:
    said = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "subject": subject,
        "layers": [],
        "annotations": {"n": str(number)},
    }
    return Blob(MANIFEST, json.dumps(said).encode())


def test_what_is_cut_off_is_said_on_the_page(web: Scripted, cast: Cast) -> None:
    layers = [{"mediaType": images.LAYER, "digest": f"sha256:{n:064x}", "size": 1} for n in range(501)]
    layers[0]["urls"] = ["https://example.com/layer"]
    config = {"mediaType": images.CONFIG, "digest": "sha256:" + "c" * 64, "size": 600 * 1024}
    said = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    holds(web, tag=Blob(MANIFEST, json.dumps(said).encode()))
    sync(web)
    at, client = f"{AT}-/tags/1.0/", cast.client("viewer")
    assert "more than 512 KiB, so it was not read" in client.get(at, {"tab": "configuration"}).text
    page = client.get(at, {"tab": "layers"}).text
    assert "the first 500 of 501" in page
    assert page.count("stored elsewhere") == 1
    assert Tag.objects.get().size == 500 + 600 * 1024


def test_an_image_that_was_pushed_by_digest_alone_is_listed(web: Scripted, cast: Cast) -> None:
    index = images.index(TWO)
    holds(web, index, *(blob for image in TWO for blob in (image.manifest, image.config)))
    web.says["/v2/team/app/tags/list"] = answer({"tags": []})
    for number, blob in enumerate([*(image.manifest for image in TWO), index]):
        target = {"mediaType": blob.media_type, "repository": "team/app", "digest": blob.digest}
        event = {"id": str(number), "action": "push", "target": target}
        views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
    process_due(RegistryClient(web.url, lambda *_scope: "token"))
    client = cast.client("viewer")
    assert "team/app" in client.get("/a/team-red/images/").text
    page = client.get(AT)
    assert [each.digest for each in page.context["untagged"]] == [index.digest]
    assert "Pushed by digest only" in page.text
    assert "Multi-platform image" in page.text
    assert f"/-/manifests/{index.digest}/" in page.text
    remove = f"{AT}-/delete-preview/?digest={quote(index.digest, safe='')}"
    assert remove in cast.client("owner").get(AT).text
    assert remove not in page.text  # a viewer may not
    # Once it has a tag it is an image as any other, also when that tag has gone.
    holds(web, tag=index)
    web.says["/v2/team/app/tags/list"] = answer({"tags": ["1.0"]})
    sync(web)
    assert (Image.objects.get().untagged_count, Image.objects.get().tag_count) == (0, 1)
    assert "Pushed by digest only" not in client.get(AT).text


@pytest.mark.parametrize(("held", "cut"), [(UNTAGGED_SHOWN, False), (UNTAGGED_SHOWN + 1, True)])
def test_that_not_all_that_has_no_tag_is_shown_is_said(cast: Cast, held: int, cut: bool) -> None:
    image = ImageFactory(
        namespace__account=cast.account, namespace__name="team", name="app", untagged_count=held
    )
    manifests = ManifestFactory.create_batch(held)
    RepositoryManifest.objects.bulk_create(
        RepositoryManifest(image=image, manifest=each) for each in manifests
    )
    page = cast.client("viewer").get(AT)
    assert len(page.context["untagged"]) == UNTAGGED_SHOWN
    assert (f"Only the newest {UNTAGGED_SHOWN} are shown." in page.text) is cut
    assert "Filter by tag" not in page.text  # there is none


def test_one_that_is_deleted_is_listed_no_more(web: Scripted, cast: Cast) -> None:
    image = TWO[0]
    holds(web, image.manifest, image.config)
    target = {"mediaType": MANIFEST, "repository": "team/app", "digest": image.digest}
    for action in ("push", "delete"):
        event = {"id": action, "action": action, "target": target}
        views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())
        process_due(RegistryClient(web.url, lambda *_scope: "token"))
        listed = "team/app" in cast.client("viewer").get("/a/team-red/images/").text
        assert listed is (action == "push")
        web.says[f"/v2/team/app/manifests/{image.digest}"] = absent()


def test_a_repository_that_is_a_name_alone_is_not_listed(web: Scripted, cast: Cast) -> None:
    web.says["/v2/team/app/tags/list"] = answer({"tags": []})
    sync(web)
    assert "team/app" not in cast.client("viewer").get("/a/team-red/images/").text


def test_a_cache_has_no_command_to_pull_it(web: Scripted, cast: Cast) -> None:
    layer = Blob(images.LAYER, b"a layer")
    holds(web, tag=images.cache_index(layer))
    sync(web)
    client = cast.client("viewer")
    for page in (AT, f"{AT}-/tags/1.0/"):
        assert "docker pull" not in client.get(page).text
    tag = client.get(f"{AT}-/tags/1.0/")
    assert "BuildKit cache" in tag.text
    assert [each.digest for each in tag.context["details"].layers] == [layer.digest]
