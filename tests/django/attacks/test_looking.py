"""Looking at a page: HEAD says what GET says, without the body; and neither writes anything."""

import re

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import GroupRole, IdTokenIssuer, Person
from tests.cast import Cast, client_for
from tests.django.api import routes
from tests.django.api import world as worlds
from tests.django.api.caller import API
from tests.django.api.routes import Route
from tests.django.api.world import World
from tests.django.attacks import pages

MINE = [
    "account_email",
    "account_change_password",
    "usersessions_list",
    "account_logout",
    "account_reauthenticate",
]
OUTSIDE = ["account_login", "account_signup", "account_reset_password", "account_reset_password_done",
           "account_email_verification_sent", "security-txt", "registry-events"]  # fmt: skip
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE)\b", re.IGNORECASE)
# A link with a secret in it is spent on a note of it in the session; the page that it leads to writes nothing.
LINKS = {"bootstrap-link", "invitation-link"}


@pytest.fixture
def world(cast: Cast, operator: Person) -> World:
    for person in (cast.owner, cast.viewer, operator):  # a session that ended without its row
        UserSession.objects.create(
            user=person, session_key=f"ended{person.pk}", ip="192.0.2.1", user_agent="Old/1"
        )
    return worlds.make(cast)


def addresses(world: World) -> list[str]:
    own = [page.path(world) for page in pages.every() if page.name not in LINKS]
    return own + [reverse(name) for name in (*MINE, *OUTSIDE)] + ["/healthz", "/readyz", "/nowhere/"]


def writes(client: Client, method: str, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        client.generic(method, url)
    return [query["sql"] for query in asked if WRITES.match(query["sql"])]


@pytest.mark.parametrize("who", ["owner", "viewer", "operator", "anonymous"])
def test_neither_get_nor_head_of_any_page_writes(world: World, operator: Person, who: str) -> None:
    client = client_for(operator) if who == "operator" else world.cast.client(who)
    for url in addresses(world):
        for method in ("GET", "HEAD"):
            assert not writes(client, method, url), (method, url)


def test_a_form_does_write(world: World) -> None:
    """The twin: what would be found is found."""
    client = world.cast.client("owner")
    with CaptureQueriesContext(connection) as asked:
        client.post("/a/team-red/settings/rename/", {"name": "blue"})
    assert any(WRITES.match(query["sql"]) for query in asked)


def head_and_get(client: Client, url: str, **headers: str) -> tuple[HttpResponse, HttpResponse]:
    return client.head(url, headers=headers), client.get(url, headers=headers)


def told(answer: HttpResponse) -> dict[str, str]:
    """Without what may be another a moment later."""
    return {
        name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Expires")
    }


HTMX = {"HX-Request": "true"}
# Each address as a person opens it, and as parts of pages ask for it.
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "whole": ("", {}),
    "live": ("?live=old", HTMX),
    "filtered": ("?q=a&page=x&kind=tags", HTMX | {"HX-Target": "list"}),
    "in a dialog": ("", HTMX | {"HX-Target": "ask"}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["owner", "operator", "anonymous"])
def test_head_answers_as_get_does_without_a_body(world: World, operator: Person, who: str, way: str) -> None:
    client = client_for(operator) if who == "operator" else world.cast.client(who)
    query, headers = WAYS[way]
    for url in addresses(world):
        head, get = head_and_get(client, url + query, **headers)
        assert head.status_code == get.status_code, url
        assert told(head) == told(get), url
        assert not b"".join(head), url
        if not get.streaming and "Content-Length" in get.headers:
            assert int(head.headers["Content-Length"]) > 0 or not get.content, url


GETS = [route for route in [*routes.every(), *routes.operators()] if route.method == "GET"]


@pytest.mark.parametrize("route", GETS, ids=str)
def test_so_does_the_api(world: World, operator: Person, route: Route) -> None:
    client = client_for(operator) if route in routes.operators() else world.cast.client("owner")
    group = GroupRole.objects.create(group="dev", account=world.cast.account, role="viewer")
    of_operators = {
        "api-system-issuer": IdTokenIssuer.objects.filter(account=None).values_list("pk", flat=True)[0],
        "api-system-group": group.pk,
        "api-system-group-preview": group.pk,
    }
    row = {"id": of_operators[route.name]} if route.name in of_operators else {}
    url = API + route.path(world, **row)
    assert not writes(client, "GET", url)
    assert not writes(client, "HEAD", url)
    head, get = head_and_get(client, url)
    assert (head.status_code, b"".join(head)) == (get.status_code, b"")
