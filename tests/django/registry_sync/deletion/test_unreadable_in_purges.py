"""Deleting all, where the registry lists a tag and does not give out its manifest: it ends, says why, the rest goes."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from django.utils import timezone

from namespaces.models import Image, Namespace, Tag
from registry_sync.client import RegistryClient
from registry_sync.client.responses import digest_of
from registry_sync.deletion import purge_scope, purge_service, purge_worker, worker
from registry_sync.models import Purge, Removal
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.cast import Cast
from tests.parts.model_registry import ModelRegistry
from tests.parts.scripted import Answer, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"
UNKNOWN = answer({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
HTML = answer("<html>", Content_Type=KIND)
ODD = {"404": UNKNOWN, "500": answer(status=500), "503": answer(status=503), "no JSON": HTML}


class OddRegistry(ModelRegistry):
    """`odd`: the end of a path → what is answered instead."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: dict[str, Answer] = {}

    def answer_to(self, request: BaseHTTPRequestHandler) -> Answer:
        reference = request.path.rpartition("/")[2]
        return self.odd.get(reference) or super().answer_to(request)


def manifest(text: str) -> bytes:
    return json.dumps(
        {"schemaVersion": 2, "mediaType": KIND, "layers": [], "annotations": {"text": text}}
    ).encode()


BAD = digest_of(manifest("bad"))


@pytest.fixture
def web(cast: Cast) -> Iterator[OddRegistry]:
    factories.NamespaceFactory(account=cast.account, name="team")
    running = OddRegistry()
    for repository, tag in (("team/app", "good"), ("team/app", "bad"), ("team/other", "1.0")):
        body = manifest(tag)
        running.push(repository, tag, KIND, digest_of(body), body)
    yield running
    running.stop()


def registry(web: OddRegistry) -> RegistryClient:
    return web.client()


def spoil(web: OddRegistry, how: str) -> None:
    web.odd |= dict.fromkeys(("bad", BAD, digest_of(HTML.body)), ODD[how])


def ask(cast: Cast, image: Image | None) -> Purge:
    namespace = Namespace.objects.select_related("account").get(name="team")
    told = purge_scope.scope_of(purge_scope.images_of(namespace, image)).preview_digest
    name = image.name if image else "team"
    return purge_service.request_purge(
        by=cast.by("owner"), namespace=namespace, image=image, preview_digest=told, confirmation=name
    )


def to_its_end(web: OddRegistry, asked: Purge) -> None:
    """The worker comes again each time something is due."""
    for _often in range(2 * worker.BULK_ATTEMPTS_MAX):
        purge_worker.work_due()
        Removal.objects.exclude(due_at=None).update(due_at=timezone.now())
        worker.work_due(registry(web))
        asked.refresh_from_db()
        if asked.state not in Purge.OPEN:
            return
    raise AssertionError("it has no end")


SILENT, UNSEEN = "the registry gave no usable answer", "not all tags could be seen"
HOLDS = "something in the image cannot be read and may need it"
# How it ends, by what is answered instead of a manifest: where it was so from the start, and where it was read before.
ENDS = {
    "404": ("", ""),
    "500": (f"1 could not be deleted: {UNSEEN}.", f"2 could not be deleted: {SILENT}, {UNSEEN}."),
    "503": (f"1 could not be deleted: {UNSEEN}.", f"2 could not be deleted: {SILENT}, {UNSEEN}."),
    "no JSON": (
        f"2 could not be deleted: the registry refused, {HOLDS}.",  # DELETE is answered so, too
        f"2 could not be deleted: {SILENT}, {HOLDS}.",
    ),
}


@pytest.mark.parametrize("read_before", [False, True])
@pytest.mark.parametrize("how", ODD)
def test_it_ends_says_what_was_left_and_why_and_the_rest_goes(
    cast: Cast, web: OddRegistry, how: str, read_before: bool
) -> None:
    if not read_before:
        spoil(web, how)
    assert reconcile(registry(web))
    spoil(web, how)
    asked = ask(cast, None)
    to_its_end(web, asked)
    assert (asked.state, asked.problem) == (
        "partial" if ENDS[how][read_before] else "emptied",
        ENDS[how][read_before],
    )
    assert not web.repositories["team/other"]
    gone = how == "404"
    assert ("good" in web.repositories["team/app"]) is not gone
    assert Tag.objects.filter(name="good").exists() is not gone
    assert not Removal.objects.exclude(due_at=None).exists()
    page = cast.client("viewer").get(f"/a/team-red/n/team/deletions/{asked.pk}/").content.decode()
    assert ENDS[how][read_before] in page
    asked_then = len(web.asked)
    purge_worker.work_due()
    worker.work_due(registry(web))
    assert len(web.asked) == asked_then  # and nothing is asked any more


def test_while_the_registry_answers_nothing_at_all_it_waits_for_hours(cast: Cast, web: OddRegistry) -> None:
    """The twin: one that is away is not given up as one manifest is."""
    assert reconcile(registry(web))
    spoil(web, "500")
    good = digest_of(manifest("good"))
    web.odd |= dict.fromkeys(("_catalog?n=1", "good", good), ODD["500"])
    asked = ask(cast, Image.objects.get(name="app"))
    with pytest.raises(AssertionError, match="no end"):
        to_its_end(web, asked)
    web.odd.clear()
    to_its_end(web, asked)
    assert (asked.state, web.repositories["team/app"]) == ("done", {})
