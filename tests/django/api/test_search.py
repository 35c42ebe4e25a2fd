"""/search/ and /accounts/{handle}/search/: five kinds of hits, only of accounts that one is a member of."""

from typing import Any

import pytest

from accounts.models import RegistryUser
from namespaces.models import Descriptor, Label
from tests import factories
from tests.django.api.caller import fields_of
from tests.django.api.world import World

PATHS = ["search/", "accounts/team-red/search/"]


@pytest.fixture
def labelled(world: World) -> World:
    """The same in an account of others, that must not be found."""
    factories.RepositoryManifestFactory(image=world.tag.image, manifest=world.tag.manifest)
    theirs = factories.TagFactory(
        image__namespace__account=world.cast.elsewhere, image__name="app/api", name="1.0-theirs"
    )
    factories.RepositoryManifestFactory(image=theirs.image, manifest=theirs.manifest)
    factories.RegistryUserFactory(account=world.cast.elsewhere, description="CI deploy too")
    for tag in (world.tag, theirs):
        Label.objects.create(manifest=tag.manifest, key="org.commit", value="C0FFEE-0123")
    return world


def hits(world: World, path: str, **query: str) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = world.caller("viewer").get(f"{path}?{asked}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


@pytest.mark.parametrize("path", PATHS)
def test_each_kind_is_told_in_the_same_shape(labelled: World, path: str) -> None:
    tag, user = labelled.tag, labelled.user
    place = {"account": "team-red", "repository": "red/app/api", "tag": "1.0"}
    nothing = {
        "digest": "",
        "matched_digest": "",
        "labels": {},
        "username": "",
        "description": "",
        "pushed_at": None,
    }
    (image,) = hits(labelled, path, q="app")
    assert image["pushed_at"].endswith("Z")
    assert image == {"kind": "images", **nothing, **place, "pushed_at": image["pushed_at"]}
    _image, of_tag = hits(labelled, path, q="red/app/api:1")
    assert (of_tag["kind"], of_tag["tag"], of_tag["digest"]) == ("tags", "1.0", tag.manifest_id)
    (of_digest,) = hits(labelled, path, q=tag.manifest_id[:20])
    assert of_digest == {"kind": "digests", **nothing, **place, "digest": tag.manifest_id}
    (of_label,) = hits(labelled, path, q="org.commit=c0ff")
    assert (of_label["kind"], of_label["labels"]) == ("labels", {"org.commit": "C0FFEE-0123"})
    (of_user,) = hits(labelled, path, q="deploy")
    told = {"kind": "users", "account": "team-red", "username": user.username, "description": "CI deploy"}
    assert of_user == {**nothing, "repository": "", "tag": "", **told}


def test_a_platform_leads_to_the_tag_of_its_index(labelled: World) -> None:
    child = factories.ManifestFactory()
    factories.RepositoryManifestFactory(image=labelled.tag.image, manifest=child)
    Descriptor.objects.create(
        manifest=labelled.tag.manifest, digest=child.digest, kind=Descriptor.Kind.MANIFEST
    )
    (found,) = hits(labelled, PATHS[1], q=child.digest)
    assert (found["tag"], found["digest"]) == ("1.0", child.digest)


def test_image_ids_and_layers_are_told_with_what_was_searched_for(labelled: World) -> None:
    for kind in ("config", "layer"):
        part = factories.digest_of(kind)
        Descriptor.objects.create(manifest=labelled.tag.manifest, digest=part, kind=kind)
        (found,) = hits(labelled, PATHS[1], q=part[7:19])
        assert (found["kind"], found["matched_digest"], found["tag"]) == (f"{kind}s", part, "1.0")
        assert found["digest"] == labelled.tag.manifest_id


def test_all_of_one_kind_in_pages_and_ten_without(labelled: World) -> None:
    account = labelled.cast.account
    RegistryUser.objects.bulk_create(
        RegistryUser(account=account, username=f"u{number:011}", description=f"robot {number:03}")
        for number in range(60)
    )
    assert len(hits(labelled, PATHS[1], q="robot")) == 10
    caller = labelled.caller("viewer")
    first = caller.get(f"{PATHS[1]}?q=robot&kind=users").json()
    assert len(first["results"]) == 50
    assert "kind=users" in first["next"]
    second = caller.get(first["next"].partition("/api/v1/")[2]).json()
    assert [each["description"] for each in second["results"]] == [f"robot {n:03}" for n in range(50, 60)]
    assert second["next"] is None
    assert hits(labelled, PATHS[1], q="zz", kind="tags") == []  # too short to name a tag


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "q=", "q=app&kind=secrets", f"q={'x' * 201}"])
def test_what_cannot_be_asked(world: World, path: str, query: str) -> None:
    answer = world.caller("viewer").get(f"{path}?{query}")
    assert answer.status_code == 400
    assert set(fields_of(answer)) <= {"q", "kind"}


def test_others_find_their_own_and_nothing_here(labelled: World) -> None:
    stranger = labelled.caller("stranger")
    found = stranger.get("search/?q=app").json()["results"]
    assert [each["account"] for each in found] == ["elsewhere"]
    assert stranger.get("accounts/team-red/search/?q=app").status_code == 404
    assert labelled.caller("anonymous").get("search/?q=app").status_code == 401
