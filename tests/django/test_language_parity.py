"""Each page has the same links, forms and controls in every language."""

from html.parser import HTMLParser

import pytest

from tests.django.api.world import World
from tests.django.attacks import pages
from tests.django.attacks.pages import Page


class Ways(HTMLParser):
    """`found`: each link, form and control of a page, by what it does and not by what it says."""

    NAMED = ("href", "action", "method", "name", "type", "hx-get", "hx-post")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "form", "input", "select", "textarea", "button"):
            given = dict(attrs)
            self.found.append((tag, *(given.get(name) or "" for name in self.NAMED)))


@pytest.mark.parametrize("page", pages.as_html(), ids=str)
def test_each_language_offers_the_same(shared_world: World, page: Page) -> None:
    path, client = page.path(shared_world), shared_world.cast.client("owner")
    english, french = (
        Ways(client.get(path, headers={"Accept-Language": language}).content.decode()).found
        for language in ("en", "fr")
    )
    assert english == french
