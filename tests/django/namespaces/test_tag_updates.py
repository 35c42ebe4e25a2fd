"""GET …/updates/: what became of tags since the page was made, for members only, and nothing of other tenants."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from namespaces.models import Image, TagHistoryEntry
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOTHING = 204
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
PAGES = ["n/team/i/deep/app/", "n/team/", "images/"]


@pytest.fixture
def image(cast: Cast) -> Image:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return factories.ImageFactory(namespace=namespace, name="deep/app")


@pytest.fixture
def digests() -> list[str]:
    return [factories.ManifestFactory().digest for _each in range(2)]


def move(image: Image, tag: str, digest: str) -> None:
    write_tag_changes(image, [TagChange(tag, digest, WHEN)], how=TagHistoryEntry.How.EVENT)


def asks(client: Client, page: str) -> str:
    """The address that the page asks."""
    text = client.get(f"/a/team-red/{page}").content.decode()
    found = re.search(r'class="updates"[^>]*\shx-get="([^"]+)"', text)
    assert found, text
    return html.unescape(found[1])


@pytest.mark.parametrize("page", PAGES)
def test_says_what_came_moved_and_went_since(cast: Cast, image: Image, digests: list[str], page: str) -> None:
    one, two = digests
    for tag in ("old", "moves", "goes"):
        move(image, tag, one)
    client = cast.client("viewer")
    url = asks(client, page)
    assert client.get(url).status_code == NOTHING
    move(image, "1.0", one)
    move(image, "1.0", two)  # one tag, new all the same
    move(image, "moves", two)
    move(image, "goes", "")
    answer = client.get(url).content.decode()
    assert "1 new tag, 1 tag moved, 1 tag gone: show" in answer
    seen = re.search(r'hx-get="([^"]+)"', answer)
    assert seen
    assert client.get(html.unescape(seen[1])).status_code == NOTHING
    move(image, "2.0", one)
    assert "2 new tags, 1 tag moved" in client.get(html.unescape(seen[1])).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_what_came_and_went_is_no_news(cast: Cast, image: Image, digests: list[str], page: str) -> None:
    move(image, "old", digests[0])
    client = cast.client("owner")
    url = asks(client, page)
    move(image, "1.0", digests[0])
    move(image, "1.0", "")
    assert "show" not in client.get(url).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_page_is_made_anew(cast: Cast, image: Image, digests: list[str], page: str) -> None:
    Image.objects.all().delete()
    client = cast.client("owner")
    url = asks(client, page)
    assert client.get(url).status_code == NOTHING
    again = factories.ImageFactory(namespace=image.namespace, name=image.name)
    move(again, "1.0", digests[0])
    answer = client.get(url)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (NOTHING, "true")


@pytest.mark.parametrize("page", PAGES)
def test_nothing_of_another_account(cast: Cast, image: Image, digests: list[str], page: str) -> None:
    client = cast.client("owner")
    url = asks(client, page)
    before = len(url)
    for _each in range(120):  # another digit in every counter
        move(factories.ImageFactory(), "1.0", digests[0])
    assert client.get(url).status_code == NOTHING
    after = asks(client, page)
    assert (after.partition("?")[0], len(after)) == (url.partition("?")[0], before)
    assert set(re.findall(r"[?&]([a-z]+)=", after)) <= {"live", "empty"}


@pytest.mark.parametrize("note", ["", "x", "-1", "gAAAAA", "\0", "٣"])
@pytest.mark.parametrize("page", PAGES)
def test_a_strange_note_begins_anew(
    cast: Cast, image: Image, digests: list[str], page: str, note: str
) -> None:
    client = cast.client("owner")
    url = asks(client, page).partition("?")[0]
    move(image, "1.0", digests[0])
    answer = client.get(url, {"live": note})
    assert answer.status_code == 200
    assert "show" not in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_strangers_find_nothing(cast: Cast, image: Image, client: Client, page: str) -> None:
    url = asks(cast.client("viewer"), page)
    assert cast.client("stranger").get(url).status_code == 404
    assert client.get(url).status_code == 302
