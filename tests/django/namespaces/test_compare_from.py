"""From a tag, or from two that are ticked in the list, to their comparison."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from namespaces.models import Image, RepositoryManifest, Tag, TagHistoryEntry
from tests import factories
from tests.cast import MEMBERS, OUTSIDERS, Cast

IMAGE = "/a/team-red/n/team/i/app/"
AT = f"{IMAGE}-/compare/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="app")
    for number, name in enumerate(("1.0", "1.1", "1.2", "sha256-" + "a" * 64 + ".sig")):
        factories.TagFactory(image=made, name=name, pushed_at=NOON + timedelta(minutes=number))
    return made


@pytest.fixture
def viewer(cast: Cast) -> Client:
    return cast.client("viewer")


def sides(client: Client, **query: Any) -> tuple[str, str]:
    answer = client.get(AT, query)
    assert answer.status_code == 200
    assert ("comparison" in answer.context) is all(
        answer.context["query"][side] for side in ("left", "right")
    )
    return answer.context["query"]["left"], answer.context["query"]["right"]


def test_the_page_of_a_tag_leads_there_with_itself_after(viewer: Client) -> None:
    assert f'href="{AT}?right=1.2"' in viewer.get(f"{IMAGE}-/tags/1.2/").text


@pytest.mark.parametrize(("tag", "before"), [("1.2", "1.1"), ("1.1", "1.0"), ("1.0", ""), ("none", "")])
def test_before_a_tag_stands_the_one_pushed_before_it(viewer: Client, tag: str, before: str) -> None:
    answer = viewer.get(AT, {"right": tag})
    assert answer.context["query"]["left"] == before
    assert ("comparison" in answer.context) is (before != "")


def test_another_name_of_the_same_image_is_not_before_it(viewer: Client, image: Image) -> None:
    same = Tag.objects.get(image=image, name="1.2").manifest
    factories.TagFactory(image=image, name="latest", manifest=same, pushed_at=NOON + timedelta(hours=1))
    assert sides(viewer, right="latest") == ("1.1", "latest")


@pytest.mark.parametrize("held", [True, False])
def test_before_a_tag_that_moved_stands_what_it_pointed_at(viewer: Client, image: Image, held: bool) -> None:
    tag, old = Tag.objects.get(image=image, name="1.2"), factories.ManifestFactory()
    RepositoryManifest.objects.create(image=image, manifest=old, gone_at=None if held else NOON)
    TagHistoryEntry.objects.create(image=image, tag="1.2", old=old.digest, new=tag.manifest_id, how="event")
    assert sides(viewer, right="1.2") == (old.digest if held else "1.1", "1.2")


def test_a_side_that_somebody_emptied_stays_empty(viewer: Client) -> None:
    assert sides(viewer, left="", right="1.2") == ("", "1.2")


@pytest.mark.parametrize("ticked", [["1.0", "1.2"], ["1.2", "1.0"]])
@pytest.mark.parametrize("who", MEMBERS)
def test_two_ticked_tags_are_compared_the_older_one_first(cast: Cast, who: str, ticked: list[str]) -> None:
    client = cast.client(who)
    answer = client.get(AT, {"tag": ticked, "q": "1."})
    assert answer.url == f"{AT}?left=1.0&right=1.2"
    assert "comparison" in client.get(answer.url).context


@pytest.mark.parametrize(
    "ticked", [["1.0"], ["1.0", "1.1", "1.2"], ["1.0", "none"], ["1.0", "1.0"], ["", "1.0"]]
)
def test_any_other_number_leads_back_and_says_so(viewer: Client, ticked: list[str]) -> None:
    answer = viewer.get(AT, {"tag": ticked}, follow=True)
    assert answer.redirect_chain == [(IMAGE, 302)]
    assert "Select two tags to compare." in answer.text


def test_without_a_tick_it_is_the_empty_form(viewer: Client) -> None:
    assert sides(viewer) == ("", "")


@pytest.mark.parametrize("query", [{"right": "1.2"}, {"tag": ["1.0", "1.2"]}])
@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_compare_nothing(cast: Cast, who: str, query: dict[str, Any]) -> None:
    answer = cast.client(who).get(AT, query)
    assert answer.status_code == (404 if who == "stranger" else 302)
    assert "1.0" not in answer.headers.get("Location", "").partition("?next=")[0]
