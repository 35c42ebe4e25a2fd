"""Nobody is shown an act that ends in 403: each link, form and button of each page is tried as each role."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Person
from tests.cast import MEMBERS, Cast, client_for
from tests.django.api import world as worlds
from tests.django.api.world import World
from tests.django.attacks import pages

MINE = ["account_email", "account_change_password", "usersessions_list"]


class Offers(HTMLParser):
    """What a page offers: (method, address, the values that its form or button sends)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self._forms: list[tuple[str, str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms.append((has.get("method", "get").upper(), has.get("action", ""), {}))
            self.found.append(self._forms[-1])
        elif tag in ("input", "button") and self._forms and has.get("name"):
            method, action, values = self._forms[-1]
            if has.get("type") == "hidden":
                values[has["name"]] = has.get("value", "")
            elif tag == "button":
                self.found.append((method, action, {**values, has["name"]: has.get("value", "")}))
        sent = self._forms[-1][0] if self._forms else "POST"
        for name, method in (("href", "GET"), ("hx-get", "GET"), ("hx-post", "POST"), ("formaction", sent)):
            if name in has:
                self.found.append((method, has[name], {}))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._forms.pop()


def refused(client: Client, url: str, tried: set[str]) -> Iterator[str]:
    """What `url` offers to this client, and answers with 403. Nothing that is tried stays done."""
    answer = client.get(url)
    if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
        return
    for method, action, values in Offers(answer.text).found:
        address = urljoin(url, action)
        if urlsplit(address).netloc or urlsplit(address).scheme or not address.startswith("/"):
            continue
        address = address.partition("#")[0]
        if (act := f"{method} {re.sub('live=[^&]+', '', address)} {sorted(values)}") in tried:
            continue
        tried.add(act)
        with transaction.atomic():
            session = client.cookies[settings.SESSION_COOKIE_NAME].value  # signing out is among them
            sent = client.post(address, values) if method == "POST" else client.get(address, values or None)
            client.cookies[settings.SESSION_COOKIE_NAME] = session
            transaction.set_rollback(True)
        if sent.status_code == 403:
            yield f"{method} {address} on {url}"


@pytest.fixture
def world(cast: Cast) -> World:
    return worlds.make(cast)


@pytest.mark.parametrize("who", [*MEMBERS, "operator"])
def test_nobody_is_shown_what_they_may_not(world: World, operator: Person, who: str) -> None:
    client = client_for(operator) if who == "operator" else world.cast.client(who)
    urls = [page.path(world) for page in pages.every()] + [reverse(name) for name in MINE]
    urls += [f"/a/team-red/n/{world.empty.name}/", f"/a/team-red/n/{world.empty.name}/permissions/"]
    tried: set[str] = set()
    assert not [found for url in urls for found in refused(client, url, tried)]
    assert len(tried) > 20


def test_what_an_owner_is_offered_would_refuse_a_viewer(world: World) -> None:
    """The twin: 403 is found where it is."""
    offered = Offers(world.cast.client("owner").get("/a/team-red/settings/").text).found
    acts = {action for method, action, _values in offered if method == "POST" and action}
    assert 403 in {world.cast.client("viewer").post(act).status_code for act in acts}
