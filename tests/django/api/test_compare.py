"""/accounts/{handle}/namespaces/{ns}/images/{image}/-/compare/, and what a tag tells of what is hung onto it."""

from datetime import UTC, datetime

from namespaces.models import PullStats
from tests import factories
from tests.django.api.caller import fields_of
from tests.django.api.world import World
from tests.django.namespaces import things

IMAGE = "accounts/team-red/namespaces/red/images/app/api/-/"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_two_tags(world: World) -> None:
    for tag, layer in (("old", "a"), ("new", "b")):
        config = things.image_config("FROM base", f"RUN {layer}", Env=[f"V={tag}"])
        things.put(world.tag.image, things.image_document("base", layer), config=config, tag=tag)
    told = world.caller("viewer").get(f"{IMAGE}compare/?left=old&right=new").json()
    assert (
        told["identical"],
        told["size_difference_bytes"],
        told["download_bytes"],
        told["sides_without_platform"],
    ) == (False, 0, 100, [])
    assert (told["left"]["tag"], told["right"]["repository"]) == ("old", "red/app/api")
    assert [(each["state"], each["command"]) for each in told["layers"]] == [
        ("kept", "FROM base"),
        ("removed", "RUN a"),
        ("added", "RUN b"),
    ]
    assert told["settings"] == {"env": [{"state": "changed", "name": "V", "before": "old", "after": "new"}]}
    assert told["platforms"] == []


def test_what_cannot_be_compared(world: World) -> None:
    caller = world.caller("viewer")
    elsewhere = factories.TagFactory(image__namespace__account=world.cast.elsewhere)
    assert (
        caller.get(
            f"{IMAGE}compare/?left=1.0&right={elsewhere.image.repository}:{elsewhere.name}"
        ).status_code
        == 404
    )
    assert caller.get(f"{IMAGE}compare/?left=1.0&right={elsewhere.manifest_id}").status_code == 404
    assert caller.get(f"{IMAGE}compare/?left=1.0&right=9.9").status_code == 404
    wrong = caller.get(f"{IMAGE}compare/?left=1.0&right=a b")
    assert (wrong.status_code, list(fields_of(wrong))) == (400, ["right"])
    missing = caller.get(f"{IMAGE}compare/?left=1.0")
    assert (missing.status_code, list(fields_of(missing))) == (400, ["right"])


def test_a_tag_tells_of_referrers_pulls_and_links(world: World) -> None:
    notes = {
        "org.opencontainers.image.source": "https://example.com/",
        "org.opencontainers.image.url": "javascript:x",
    }
    made = things.put(world.tag.image, things.image_document("a", annotations=notes), tag="hung")
    things.put(world.tag.image, things.image_document("s"), tag=made.digest.replace(":", "-") + ".sig")
    index = things.index_document()
    index["manifests"] = [{"digest": factories.digest_of("gone"), "artifactType": "application/spdx+json"}]
    things.put(world.tag.image, index, tag=made.digest.replace(":", "-"))
    PullStats.objects.create(
        image=world.tag.image, tag="hung", username=world.user.username, count=3, last_at=NOW
    )
    told = world.caller("viewer").get(f"{IMAGE}tags/hung/").json()
    assert told["type"] == "Image"
    assert [(each["type"], each["subject"], each["size_bytes"]) for each in told["referrers"]] == [
        ("SPDX SBOM", made.digest, None),
        ("cosign signature", made.digest, 110),
    ]
    assert [(each["username"], each["pull_count"]) for each in told["pulled_by"]] == [
        (world.user.username, 3)
    ]
    assert [(each["title"], each["url"]) for each in told["links"]] == [
        ("Source", "https://example.com/"),
        ("Website", ""),
    ]


def test_an_index_tells_the_links_of_its_platform(world: World) -> None:
    config = things.image_config("RUN a", Labels={"org.opencontainers.image.source": "https://example.com/"})
    child = things.put(world.tag.image, things.image_document("a"), config=config)
    things.put(world.tag.image, things.index_document((child, "linux/amd64")), tag="multi")
    (link,) = world.caller("viewer").get(f"{IMAGE}tags/multi/").json()["links"]
    assert link == {"title": "Source", "text": "https://example.com/", "url": "https://example.com/"}
