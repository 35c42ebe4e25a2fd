"""The drop-down of namespaces: choosing one opens it, with its images, its details and its permissions."""

import pytest

from namespaces.access import Level
from namespaces.models import Namespace
from tests import factories
from tests.cast import MEMBERS, Cast

LONG = "n" * 29 + "-" + "m" * 30
A = "/a/team-red/"


@pytest.fixture
def many(cast: Cast) -> list[Namespace]:
    names = [f"space{each:03}" for each in range(199)]
    made = [factories.NamespaceFactory.build(account=cast.account, name=name) for name in [*names, LONG]]
    return Namespace.objects.bulk_create(made)


@pytest.mark.parametrize("who", MEMBERS)
def test_all_are_there_and_one_opens_without_javascript(cast: Cast, many: list[Namespace], who: str) -> None:
    client = cast.client(who)
    page = client.get(A + "images/").text
    assert page.count("<option ") == len(many) + 1
    assert 'type="submit">Open</button>' in page
    opened = client.get(A + "images/", {"namespace": LONG})
    assert (opened.status_code, opened["Location"]) == (302, f"{A}n/{LONG}/")
    assert f'<option value="{LONG}" selected>' in client.get(opened["Location"]).text
    assert client.get(A + "images/", {"namespace": ""}).status_code == 200  # all of them


def test_what_is_opened_shows_images_details_and_permissions(cast: Cast, many: list[Namespace]) -> None:
    namespace = many[0]
    factories.TagFactory(image=factories.ImageFactory(namespace=namespace, name="web"))
    users = [factories.RegistryUserFactory(account=cast.account) for _each in range(12)]
    for user in users:
        factories.GrantFactory(user=user, namespace=namespace, level=Level.WRITE)
    page = cast.client("viewer").get(namespace.get_absolute_url()).text
    words = " ".join(page.split())
    assert "space000/web" in page
    assert "<strong>1</strong> image" in words
    assert "<strong>12</strong> users" in words
    assert users[0].description in page
    assert "and 2 more" in page
    assert "Manage permissions" not in page
    assert "Manage permissions" in cast.client("manager").get(namespace.get_absolute_url()).text


def test_others_namespaces_are_neither_listed_nor_opened(cast: Cast, many: list[Namespace]) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    client = cast.client("owner")
    assert "theirs" not in client.get(A + "images/").text
    assert client.get(A + "images/", {"namespace": "theirs"}).status_code == 404
    assert cast.client("stranger").get(A + "images/", {"namespace": LONG}).status_code == 404
