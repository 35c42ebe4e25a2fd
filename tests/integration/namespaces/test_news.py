"""GET …/news/: what became of tags since the page was made, for members only."""

import pytest
from django.test import Client

from namespaces.models import Image, TagMove
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOTHING = 204


@pytest.fixture
def image(cast: Cast) -> Image:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return factories.ImageFactory(namespace=namespace, name="deep/app")


def move(image: Image, tag: str, old: str, new: str) -> int:
    return TagMove.objects.create(image=image, tag=tag, old=old, new=new, how="event").pk


def urls(image: Image) -> list[str]:
    account = f"/a/{image.namespace.account.handle}"
    return [f"{account}/n/team/i/deep/app/-/news/", f"{account}/n/team/news/", f"{account}/images/news/"]


def test_says_what_came_moved_and_went_since(cast: Cast, image: Image) -> None:
    since = move(image, "old", "", "a")
    move(image, "1.0", "", "a")
    move(image, "1.0", "a", "b")  # one tag, new all the same
    move(image, "2.0", "a", "b")
    last = move(image, "3.0", "a", "")
    for url in urls(image):
        answer = cast.client("viewer").get(url, {"since": since})
        assert "1 new tag, 1 tag moved, 1 tag gone: show" in answer.content.decode()
        assert cast.client("viewer").get(url, {"since": since, "seen": last}).status_code == NOTHING
        assert cast.client("viewer").get(url, {"since": last}).status_code == NOTHING


def test_what_came_and_went_is_no_news(cast: Cast, image: Image) -> None:
    move(image, "1.0", "", "a")
    move(image, "1.0", "a", "")
    assert [cast.client("owner").get(url).status_code for url in urls(image)] == [NOTHING] * 3


def test_an_empty_page_is_made_anew(cast: Cast, image: Image) -> None:
    move(image, "1.0", "", "a")
    for url in urls(image):
        assert cast.client("owner").get(url, {"empty": "1"}).headers["HX-Refresh"] == "true"


def test_nothing_of_another_account(cast: Cast, image: Image) -> None:
    other = factories.ImageFactory()
    move(other, "1.0", "", "a")
    assert [cast.client("owner").get(url).status_code for url in urls(image)] == [NOTHING] * 3


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 40, "٣"])
def test_a_strange_number_is_none(cast: Cast, image: Image, since: str) -> None:
    move(image, "1.0", "", "a")
    assert cast.client("owner").get(urls(image)[0], {"since": since}).status_code == 200


def test_strangers_find_nothing(cast: Cast, image: Image, client: Client) -> None:
    for url in urls(image):
        assert cast.client("stranger").get(url).status_code == 404
        assert client.get(url).status_code == 302


def test_costs_few_statements(cast: Cast, image: Image, django_assert_max_num_queries: object) -> None:
    page = cast.client("viewer")
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        page.get(urls(image)[0])
