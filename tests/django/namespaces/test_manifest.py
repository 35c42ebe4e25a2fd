"""A manifest by its digest: raw and to take away, and only where this image holds it."""

import hashlib
import json

import pytest
from django.test import Client

from namespaces.models import Image, Manifest, RepositoryManifest
from tests import factories
from tests.cast import MEMBERS, Cast
from tests.django.namespaces import things
from tests.django.namespaces.things import EVIL

AT = "/a/team-red/n/team/i/app/-/manifests/"


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    return made


@pytest.fixture
def made(image: Image) -> Manifest:
    return things.put(image, things.image_document("a", annotations={"x": EVIL}), tag="1.0")


@pytest.fixture
def viewer(cast: Cast) -> Client:
    return cast.client("viewer")


@pytest.mark.parametrize("who", MEMBERS)
@pytest.mark.parametrize("end", ["", "download/"])
def test_members_see_it(cast: Cast, made: Manifest, who: str, end: str) -> None:
    assert cast.client(who).get(f"{AT}{made.digest}/{end}").status_code == 200


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
@pytest.mark.parametrize("end", ["", "download/"])
def test_nobody_else_does(cast: Cast, made: Manifest, who: str, end: str, status: int) -> None:
    assert cast.client(who).get(f"{AT}{made.digest}/{end}").status_code == status


@pytest.mark.parametrize("end", ["", "download/"])
def test_what_is_not_there_and_what_is_not_held_here_look_alike(
    image: Image, viewer: Client, end: str
) -> None:
    other = factories.ImageFactory(namespace=image.namespace, name="other")
    elsewhere = things.put(other, things.image_document("b"), tag="1.0")
    assert viewer.get(f"{AT.replace('/app/', '/other/')}{elsewhere.digest}/{end}").status_code == 200
    for digest in (elsewhere.digest, "sha256:" + "0" * 64, "latest", "..", "sha256:%00", "x" * 3000):
        assert viewer.get(f"{AT}{digest}/{end}").status_code == 404


@pytest.mark.parametrize("end", ["", "download/"])
def test_only_get(made: Manifest, viewer: Client, end: str) -> None:
    assert viewer.post(f"{AT}{made.digest}/{end}").status_code == 405


def test_the_download_is_the_exact_bytes_as_an_attachment_of_no_type(made: Manifest, viewer: Client) -> None:
    answer = viewer.get(f"{AT}{made.digest}/download/")
    assert "sha256:" + hashlib.sha256(answer.content).hexdigest() == made.digest
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == f'attachment; filename="{made.digest.replace(":", "-")}.json"'
    assert "no-store" in answer["Cache-Control"]


def test_raw_is_laid_out_and_escaped(made: Manifest, viewer: Client) -> None:
    answer = viewer.get(f"{AT}{made.digest}/?tab=raw")
    assert json.loads(answer.context["raw"].text) == json.loads(made.body)
    assert EVIL not in answer.content.decode()
    assert "download/" in answer.content.decode()


def test_64_kb_of_it_are_shown(image: Image, viewer: Client) -> None:
    long = things.put(image, {"hello": EVIL * 20_000})
    answer = viewer.get(f"{AT}{long.digest}/?tab=raw")
    assert answer.context["raw"].cut
    assert len(answer.content) < 400_000
    assert len(viewer.get(f"{AT}{long.digest}/download/").content) > 400_000


def test_a_body_that_was_not_kept_says_so(made: Manifest, viewer: Client) -> None:
    Manifest.objects.update(body_zlib=b"")
    answer = viewer.get(f"{AT}{made.digest}/?tab=raw")
    assert answer.context["raw"] is None
    assert "It is too large to be stored here." in answer.content.decode()
    assert viewer.get(f"{AT}{made.digest}/download/").status_code == 404


def test_it_leads_to_its_tags_its_indexes_and_its_subject(
    image: Image, made: Manifest, viewer: Client
) -> None:
    things.point(image, "also", made)
    index = things.put(image, things.index_document((made, "linux/amd64")))
    shown = viewer.get(f"{AT}{made.digest}/")
    assert [tag.name for tag in shown.context["tags"]] == ["1.0", "also"]
    assert [each.digest for each in shown.context["listed_in"]] == [index.digest]
    about = things.put(image, things.image_document("s", subject={"digest": made.digest}))
    assert viewer.get(f"{AT}{about.digest}/").context["subject"].manifest == made


def test_one_that_the_registry_holds_no_more_can_still_be_read(
    image: Image, made: Manifest, viewer: Client
) -> None:
    image.tags.all().delete()
    RepositoryManifest.objects.update(gone_at=made.fetched_at)
    assert viewer.get(f"{AT}{made.digest}/").status_code == 200
