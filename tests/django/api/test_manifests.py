"""/…/images/{image}/-/manifests/{digest}/: what an image holds, under a tag or none."""

from tests import factories
from tests.django.api.world import World
from tests.django.namespaces import things

IMAGE = "accounts/team-red/namespaces/red/images/app/api/-/"


def test_a_platform_and_its_index(world: World) -> None:
    image = world.tag.image
    child = things.put(image, things.image_document("a"), config=things.image_config("RUN a"))
    index = things.put(image, things.index_document((child, "linux/amd64")), tag="multi")
    caller = world.caller("viewer")
    told = caller.get(f"{IMAGE}manifests/{child.digest}/").json()
    assert (told["type"], told["digest"], told["kind"]) == ("Image", child.digest, "image")
    assert [layer["command"] for layer in told["details"]["layers"]] == ["RUN a"]
    assert (told["tags"], told["listed_in"], told["subject"]) == ([], [index.digest], "")
    told = caller.get(f"{IMAGE}manifests/{index.digest}/").json()
    assert (told["type"], told["tags"], told["listed_in"]) == ("Multi-platform image", ["multi"], [])
    assert [each["digest"] for each in told["children"]] == [child.digest]


def test_a_tag_tells_the_same_of_it(world: World) -> None:
    made = things.put(world.tag.image, things.image_document("a"), tag="new")
    caller = world.caller("viewer")
    of_tag = caller.get(f"{IMAGE}tags/new/").json()
    of_digest = caller.get(f"{IMAGE}manifests/{made.digest}/").json()
    both = set(of_tag) & set(of_digest) - {"commands"}  # which of a tag name it
    assert {"digest", "size_bytes", "type", "details", "children", "referrers", "links"} <= both
    assert {name: of_tag[name] for name in both} == {name: of_digest[name] for name in both}


def test_what_it_is_about(world: World) -> None:
    subject = things.put(world.tag.image, things.image_document("a"), tag="signed")
    about = things.image_document("s", subject={"digest": subject.digest})
    signature = things.put(world.tag.image, about)
    told = world.caller("viewer").get(f"{IMAGE}manifests/{signature.digest}/").json()
    assert told["subject"] == subject.digest


def test_the_digest_of_another_image_is_no_key(world: World) -> None:
    caller = world.caller("viewer")
    assert caller.get(f"{IMAGE}manifests/{world.old.digest}/").status_code == 200
    other = factories.TagFactory(image__namespace=world.namespace, image__name="other")
    theirs = factories.TagFactory(image__namespace__account=world.cast.elsewhere)
    for digest in (other.manifest_id, theirs.manifest_id, factories.digest_of("nowhere"), "sha256:", "1.0"):
        assert caller.get(f"{IMAGE}manifests/{digest}/").status_code == 404
