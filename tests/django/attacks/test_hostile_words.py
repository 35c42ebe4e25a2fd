"""Whatever a person types into an address, a query or a form, the answer is one: never a failure of ours.

Each page meets a few of the words in each run, chosen by the run's seed: all of them would take a minute of every run.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import Person
from tests import factories
from tests.cast import Cast, client_for
from tests.django.api.world import World
from tests.django.attacks import pages
from tests.django.attacks.pages import Page, form_for

WORDS = [
    "\x00", "a\x00b", "\ud800", "\u202egpj", "\u00b2", "\uff11", "9" * 30, "9" * 5000, "-1", "NaN", "[]", "%_\\",
    "'\";--", "a\r\nSet-Cookie: a=b", "password__startswith", "../../etc/passwd", "a" * 10_000, "((((((a+)+)+$[",
    "9999-12-31T23:59:59-14:00", "",
]  # fmt: skip
# What pages look for in their addresses.
NAMES = (
    "q page namespace left right platform tag digest kind image from state after sort all first empty "
    "technical"
).split()
FORM = "application/x-www-form-urlencoded"
FEW = 3  # of each kind
every_page = pytest.mark.parametrize("page", pages.as_html(), ids=str)


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture
def cast(world: World) -> Cast:
    return world.cast


def browser(world: World, operator: Person, page: Page) -> Client:
    return world.cast.client("owner") if "handle" in page.arguments else client_for(operator)


def some(of: Sequence[str]) -> list[str]:
    return random.sample(of, min(FEW, len(of)))


def asked(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """One word under all names; and under a few names one each, so that nothing is refused before they are read."""
    for word in some(WORDS):
        yield dict.fromkeys(names, word)
    for _time in range(FEW):
        yield {
            name: random.choice(WORDS) for name in random.sample(names, random.randint(1, min(3, len(names))))
        }


def encoded(fields: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(word, safe='', errors='surrogatepass')}" for name, word in fields.items())


def answers(client: Client, method: str, path: str, fields: dict[str, str]) -> bool:
    """An exception of ours comes through by itself."""
    query, body = ("", encoded(fields)) if method == "POST" else (encoded(fields), "")
    return client.generic(method, path, body, FORM, QUERY_STRING=query).status_code < 500


@every_page
def test_a_query(world: World, operator: Person, page: Page) -> None:
    client = browser(world, operator, page)
    for fields in asked(NAMES):
        assert answers(client, "GET", page.path(world), fields), fields


@every_page
def test_a_form(world: World, operator: Person, page: Page) -> None:
    client, right = browser(world, operator, page), form_for(page, world)
    for fields in asked([*right, "once", "next"]):
        assert answers(client, "POST", page.path(world), right | fields), fields


ENTRANCE = [
    "login/", "signup/", "password/reset/", "password/change/", "email/", "reauthenticate/", "sessions/", "logout/",
    "confirm-email/{}/", "password/reset/key/{}-{}/", "password/reset/key/1-{}/", "tokens/",
]  # fmt: skip
FIELDS = "login email password password1 password2 oldpassword next remember action_add action_send".split()


@pytest.mark.parametrize("path", ENTRANCE)
def test_the_pages_around_signing_in(cast: Cast, path: str) -> None:
    for client in (Client(), cast.client("owner")):
        for word in some(WORDS[:-1]):
            address = "/me/" + path.format(*[quote(word[:500], safe="", errors="surrogatepass")] * 2)
            assert answers(client, "GET", address, dict.fromkeys(FIELDS, word)), word
            assert answers(client, "POST", address, dict.fromkeys(FIELDS, word)), word


@pytest.mark.parametrize("header", ["User-Agent", "X-Forwarded-For", "Accept-Language", "Referer", "Cookie"])
def test_a_header_with_a_log_in(cast: Cast, header: str, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    form = {"login": cast.owner.email, "password": factories.PASSWORD}
    for word in (
        "unknown",
        "203.0.113.9:51234",
        "\x80" * 300,
        "a" * 5000,
        "panel_session=\x01; panel_csrf=\x02",
        "[::",
    ):
        assert Client().post("/me/login/", form, headers={header: word}).status_code == 302, word
