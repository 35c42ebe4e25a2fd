"""/accounts/{handle}/namespaces/{ns}/images/{image}/-/tags/…"""

import pytest

from namespaces.models import RepositoryManifest, Tag
from tests import factories
from tests.django.api.caller import error_of
from tests.django.api.world import World

TAGS = "accounts/team-red/namespaces/red/images/app/api/-/tags/"
HOSTILE = "<script>alert(1)</script>\u202e"


def test_a_tag_is_told_with_its_manifest(world: World) -> None:
    caller, manifest = world.caller("viewer"), world.tag.manifest
    (listed,) = caller.get(TAGS).json()["results"]
    shown = caller.get(f"{TAGS}1.0/").json()
    assert listed.items() <= shown.items()
    more = {"details", "children", "pulled_by", "referrers", "links", "commands"}
    assert set(shown) - set(listed) == more
    assert (shown["name"], shown["digest"], shown["size_bytes"]) == ("1.0", manifest.digest, 1_000_000)
    assert shown["platforms"] == [
        {"platform": "linux/amd64", "digest": manifest.digest, "size_bytes": 1_000_000}
    ]
    assert (shown["kind"], shown["missing_since"], shown["children"]) == ("image", None, [])
    assert shown["commands"][0] == {
        "tool": "Docker",
        "by_tag": "docker pull localhost:5000/red/app/api:1.0",
        "by_digest": f"docker pull localhost:5000/red/app/api@{manifest.digest}",
        "note": "",
    }


def test_an_index_tells_its_platforms(world: World) -> None:
    child = factories.ManifestFactory(details={"layers": [], "config": {"user": HOSTILE}})
    missing = factories.digest_of("never read")
    index = factories.ManifestFactory(
        kind="index",
        platforms=[
            {"platform": "linux/amd64", "digest": child.digest, "size": 1},
            {"platform": "linux/arm64", "digest": missing, "size": 0},
        ],
    )
    factories.TagFactory(image=world.tag.image, manifest=index, name="multi")
    assert world.caller("viewer").get(f"{TAGS}multi/").json()["children"] == []  # not of this image
    RepositoryManifest.objects.create(image=world.tag.image, manifest=child)
    shown = world.caller("viewer").get(f"{TAGS}multi/").json()
    assert [each["platform"] for each in shown["platforms"]] == ["linux/amd64", "linux/arm64"]
    (told,) = shown["children"]
    assert (told["digest"], told["details"]) == (child.digest, {"layers": [], "config": {"user": HOSTILE}})


def test_what_pushers_wrote_is_served_as_data_only(world: World) -> None:
    world.tag.manifest.details = {"annotations": {"title": HOSTILE}}
    world.tag.manifest.save()
    response = world.caller("viewer").get(f"{TAGS}1.0/")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.json()["details"]["annotations"]["title"] == HOSTILE


def test_searching_by_name_and_by_digest(world: World) -> None:
    other = factories.TagFactory(image=world.tag.image, name="2.0")
    caller = world.caller("viewer")
    for search in ("2.", other.manifest.digest[:20]):
        assert [each["name"] for each in caller.get(f"{TAGS}?search={search}").json()["results"]] == ["2.0"]


def test_the_newest_push_comes_first_over_all_pages(world: World) -> None:
    manifest = factories.ManifestFactory()
    factories.TagFactory.create_batch(60, image=world.tag.image, manifest=manifest)
    caller, path, seen = world.caller("viewer"), TAGS, []
    while path:
        body = caller.get(path).json()
        seen += [each["pushed_at"] for each in body["results"]]
        path = (body["next"] or "").partition("/api/v1/")[2]
    assert len(seen) == 61
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=name", ["1.0", "1.9", "1.10"]),
        ("sort=-name", ["1.10", "1.9", "1.0"]),
        ("sort=size", ["1.10", "1.9", "1.0"]),
        ("sort=-size&search=1.", ["1.0", "1.9", "1.10"]),
        ("sort=name&technical=true", ["1.0", "1.9", "1.10", f"sha256-{'0' * 64}.sig"]),
        ("sort=name&technical=false&search=.10", ["1.10"]),
        ("search=1", ["1.10", "1.9", "1.0"]),
    ],
)
def test_sorting_and_technical_tags(world: World, query: str, names: list[str]) -> None:
    for name, size in (("1.9", 2), ("1.10", 1), (f"sha256-{'0' * 64}.sig", 3)):
        factories.TagFactory(image=world.tag.image, name=name, manifest__size=size)
    caller = world.caller("viewer")
    assert [each["name"] for each in caller.get(f"{TAGS}?{query}").json()["results"]] == names
    path, seen = f"{TAGS}?{query}", []
    factories.TagFactory.create_batch(60, image=world.tag.image)
    while path:
        body = caller.get(path).json()
        seen += [each["name"] for each in body["results"]]
        path = (body["next"] or "").partition("/api/v1/")[2]
    assert len(seen) == len(set(seen)) >= len(names)


@pytest.mark.parametrize(
    "query", ["sort=nonsense", "sort=", "technical=maybe", "page=x", "sort=name&sort=size"]
)
def test_a_strange_wish_is_refused(world: World, query: str) -> None:
    response = world.caller("viewer").get(f"{TAGS}?{query}")
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid"


def test_who_pushed_and_when_it_was_pulled(world: World) -> None:
    caller = world.caller("viewer")
    (told,) = caller.get(TAGS).json()["results"]
    assert (told["pushed_by"], told["last_pulled_at"], told["pull_count"]) == ("", None, 0)
    Tag.objects.update(pushed_by="abcdefghijkl", pulled_at="2026-05-01T12:00Z", pull_count=3)
    (told,) = caller.get(TAGS).json()["results"]
    assert (told["pushed_by"], told["pull_count"]) == ("abcdefghijkl", 3)
    assert told["last_pulled_at"] == "2026-05-01T12:00:00Z"


def test_another_tag_is_absent(world: World) -> None:
    elsewhere = factories.TagFactory(image__namespace__account=world.cast.elsewhere, name="9.9")
    caller = world.caller("viewer")
    assert caller.get(f"{TAGS}1.0/").status_code == 200
    assert caller.get(f"{TAGS}{elsewhere.name}/").status_code == 404
    # The digest of another's manifest is no key to it.
    found = caller.get(f"{TAGS}?search={elsewhere.manifest.digest}").json()["results"]
    assert found == []
