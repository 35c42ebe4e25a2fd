"""Two images side by side, and a tag before and now."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from namespaces.manifests.diff import ChangeState
from namespaces.models import Image, Manifest
from tests import factories
from tests.cast import MEMBERS, Cast
from tests.django.namespaces import things
from tests.django.namespaces.things import EVIL

AT = "/a/team-red/n/team/i/app/-/compare/"


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    return made


@pytest.fixture
def pair(image: Image) -> tuple[Manifest, Manifest]:
    old = things.image_config("FROM base", "COPY old", Env=["A=1", "B=2"], User="root", Labels={"x": "1"})
    new = things.image_config("FROM base", "COPY new", Env=["A=1", "B=3"], Labels={"x": EVIL})
    return (
        things.put(image, things.image_document("base", "old"), config=old, tag="1.0"),
        things.put(image, things.image_document("base", "new"), config=new, tag="2.0"),
    )


@pytest.fixture
def viewer(cast: Cast) -> Client:
    return cast.client("viewer")


def ask(client: Client, left: str, right: str, **more: str) -> Any:
    return client.get(AT, {"left": left, "right": right, **more})


@pytest.mark.parametrize("who", MEMBERS)
def test_members_compare(cast: Cast, pair: tuple[Manifest, Manifest], who: str) -> None:
    shown = ask(cast.client(who), "1.0", "2.0")
    assert shown.status_code == 200
    found = shown.context["diff"]
    assert [(each.state, each.layer.command) for each in found.layers] == [
        (ChangeState.KEPT, "FROM base"),
        (ChangeState.REMOVED, "COPY old"),
        (ChangeState.ADDED, "COPY new"),
    ]
    assert set(found.settings) == {"env", "user", "labels"}
    assert EVIL not in shown.content.decode()
    assert "&lt;script&gt;" in shown.content.decode()


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
@pytest.mark.parametrize("query", ["", "?left=1.0&right=2.0"])
def test_nobody_else_does(
    cast: Cast, pair: tuple[Manifest, Manifest], who: str, status: int, query: str
) -> None:
    assert cast.client(who).get(AT + query).status_code == status


def test_the_picker_alone_offers_tags_and_not_what_tools_made(image: Image, viewer: Client) -> None:
    made = things.put(image, things.image_document("a"), tag="1.0")
    things.point(image, made.digest.replace(":", "-") + ".sig", made)
    text = viewer.get(AT).content.decode()
    assert '<option value="1.0">' in text
    assert ".sig" not in text


def test_a_digest_is_before_and_the_tag_is_now(image: Image, viewer: Client) -> None:
    old = things.put(image, things.image_document("a"))
    things.put(image, things.image_document("b"), tag="1.0")
    shown = ask(viewer, old.digest, "1.0")
    assert shown.context["comparison"].left.manifest == old
    assert f"-/manifests/{old.digest}/" in shown.content.decode()


def test_the_same_digest_is_said_plainly(pair: tuple[Manifest, Manifest], viewer: Client) -> None:
    assert "Same digest" in ask(viewer, "1.0", pair[0].digest).content.decode()


def test_the_same_contents_under_two_digests_are_said(image: Image, viewer: Client) -> None:
    for tag in ("a", "b"):
        things.put(image, {**things.image_document("base"), "config": things.descriptor(tag)}, tag=tag)
    assert "Same contents" in ask(viewer, "a", "b").content.decode()


def test_an_image_of_another_namespace_and_of_another_account_of_mine(
    cast: Cast, image: Image, viewer: Client
) -> None:
    factories.MemberFactory(account=cast.elsewhere, person=cast.viewer, role="viewer")
    things.put(image, things.image_document("a"), tag="1.0")
    for account, name in ((cast.account, "tools"), (cast.elsewhere, "theirs")):
        other = factories.ImageFactory(namespace__account=account, namespace__name=name, name="deep/app")
        made = things.put(other, things.image_document(name), tag="2.0")
        for text in (
            f"{name}/deep/app:2.0",
            f"{settings.REGISTRY_HOST}/{name}/deep/app:2.0",
            f"{name}/deep/app@{made.digest}",
        ):
            assert ask(viewer, "1.0", text).context["comparison"].right.manifest == made


def test_what_is_not_mine_looks_as_if_it_were_not_there(cast: Cast, image: Image, viewer: Client) -> None:
    things.put(image, things.image_document("a"), tag="1.0")
    other = factories.ImageFactory(namespace__account=cast.elsewhere, namespace__name="theirs", name="app")
    made = things.put(other, things.image_document("secret"), tag="2.0")
    answers = [
        ask(viewer, "1.0", text)
        for text in (
            "theirs/app:2.0",
            f"theirs/app@{made.digest}",
            made.digest,
            "nobody/app:2.0",
            "theirs/none:2.0",
            "9",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.context["errors"]["right"] for answer in answers}) == 1
    assert all("compared" not in answer.context for answer in answers)


@pytest.mark.parametrize(
    "text", ["a b", "x/y", "/x:1", EVIL, "sha256:xyz", "..:1", "é", "a" * 600, "a/b@1.0"]
)
def test_what_points_nowhere_is_said_beside_its_field(
    pair: tuple[Manifest, Manifest], viewer: Client, text: str
) -> None:
    answer = ask(viewer, text, "2.0")
    assert answer.status_code == 400
    assert list(answer.context["errors"]) == ["left"]
    assert EVIL not in answer.content.decode()


def test_a_nul_is_no_failure(pair: tuple[Manifest, Manifest], viewer: Client) -> None:
    assert ask(viewer, "1.0\x00", "2.0", platform="\x00").status_code == 400


@pytest.fixture
def indexes(image: Image) -> None:
    def child(name: str, architecture: str) -> tuple[Manifest, str]:
        config = things.image_config(f"RUN {name}", architecture=architecture)
        made = things.put(image, things.image_document(name), config=config)
        return made, f"linux/{architecture}"

    things.put(image, things.index_document(child("a", "386"), child("b", "arm64")), tag="old")
    things.put(image, things.index_document(child("c", "arm64"), child("d", "s390x")), tag="new")
    things.put(
        image,
        things.image_document("p"),
        config=things.image_config("RUN p", architecture="s390x"),
        tag="plain",
    )


def commands(answer: Any) -> list[str]:
    return [each.layer.command for each in answer.context["diff"].layers]


def test_of_two_indexes_one_platform_is_compared(indexes: None, viewer: Client) -> None:
    shown = ask(viewer, "old", "new")
    assert shown.context["comparison"].platform == "linux/arm64"  # both have it
    assert commands(shown) == ["RUN b", "RUN c"]
    assert [(each.state, each.name) for each in shown.context["diff"].platforms] == [
        (ChangeState.REMOVED, "linux/386"),
        (ChangeState.ADDED, "linux/s390x"),
    ]
    one_sided = ask(viewer, "old", "new", platform="linux/386")
    assert one_sided.context["comparison"].lacking == ("right",)
    assert "has no linux/386" in one_sided.content.decode()
    assert ask(viewer, "old", "new", platform="plan9/x").context["comparison"].platform == "linux/arm64"


def test_a_plain_image_is_compared_with_its_own_platform_of_an_index(indexes: None, viewer: Client) -> None:
    assert commands(ask(viewer, "new", "plain")) == ["RUN d", "RUN p"]
    assert commands(ask(viewer, "plain", "new")) == ["RUN p", "RUN d"]


def test_200_layers_on_each_side(image: Image, viewer: Client) -> None:
    for tag, start in (("1", 0), ("2", 100)):
        layers = [str(number) for number in range(start, start + 200)]
        things.put(image, things.image_document(*layers), config=things.image_config(*layers), tag=tag)
    assert len(ask(viewer, "1", "2").context["diff"].layers) == 300
