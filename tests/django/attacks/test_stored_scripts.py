"""Whatever somebody may write is shown as text: names, descriptions, and all that an image says of itself."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Account, ApiToken, Invitation, Member, RegistryUser
from accounts.services import accounts, api_tokens, invitations, users
from namespaces.models import Tag
from registry_sync.models import Removal
from tests.cast import Cast, client_for
from tests.django.api import world as worlds
from tests.django.api.world import World
from tests.django.attacks import pages
from tests.django.attacks.pages import Page
from tests.django.namespaces import things

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>' hx-get=/ {{7*7}}"
NAME = EVIL[:79]
HEAD = (settings.BASE_DIR / "templates" / "base.html").read_text()
every_page = pytest.mark.parametrize("page", pages.as_html(), ids=str)


@pytest.fixture
def world(cast: Cast) -> World:
    """As worlds.make, and every text that a tenant, a pusher or a client chooses is the worst."""
    world, by = worlds.make(cast), cast.by("owner")
    accounts.rename(by=by, account=cast.account, name=NAME)
    users.edit(by=by, user=world.user, description=NAME, expires_at=None)
    RegistryUser.objects.filter(pk=world.user.pk).update(last_used_with=EVIL[:60], last_used_from="192.0.2.1")
    api_tokens.create(by=by, name=NAME, expires_at=None, confirmed=True)
    Invitation.objects.update(created_by=EVIL)
    Removal.objects.update(requested_by=EVIL, problem=EVIL)
    cast.owner.is_staff = True
    cast.owner.save()
    said = {
        EVIL: EVIL,
        "org.opencontainers.image.url": f"javascript:{EVIL}",
        "org.opencontainers.image.title": EVIL,
    }
    config = {
        "os": EVIL, "architecture": EVIL, "author": EVIL, "history": [{"created_by": EVIL, "comment": EVIL}],
        "config": {"Env": [EVIL], "Cmd": [EVIL], "Entrypoint": [EVIL], "User": EVIL, "WorkingDir": EVIL,
                   "Labels": said, "ExposedPorts": {EVIL: {}}},
    }  # fmt: skip
    made = things.put(world.tag.image, things.image_document("a", annotations=said), config=config)
    Tag.objects.filter(pk=world.tag.pk).update(manifest=made, pushed_by=EVIL[:40])
    world.tag.refresh_from_db()
    return world


def shows(client: Client, path: str) -> str:
    html = client.get(path).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert not re.search(r"(href|src|action)=[\"']?\s*(javascript|data:text)", html, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', html))
    return html


@every_page
def test_it_is_text_on_every_page(world: World, page: Page) -> None:
    for client in (world.cast.client("owner"), world.cast.client("viewer")):
        shows(client, page.path(world))


def test_it_is_there_to_be_read(world: World) -> None:
    """So the pages above are those that show it."""
    client, image = world.cast.client("owner"), "/a/team-red/n/red/i/app/api/"
    shown, label = escape(NAME[:40]), escape(EVIL)
    for path in (
        "/?all=1",
        "/a/team-red/users/",
        "/a/team-red/activity/",
        "/a/team-red/settings/",
        "/me/tokens/",
    ):
        assert shown in shows(client, path), path
    tabs = ("overview", "layers", "configuration")
    assert sum(shows(client, f"{image}-/tags/1.0/?tab={tab}").count(label) for tab in tabs) >= 8
    assert shown in shows(client, f"/search/?q={world.user.username}")


def test_it_is_data_in_the_api_and_no_page(world: World) -> None:
    answer = world.caller("owner").get("accounts/team-red/users/")
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert EVIL[:79] in [each["description"] for each in json.loads(answer.content)["results"]]


def test_what_an_image_holds_is_downloaded_and_never_a_page(world: World) -> None:
    path = f"/a/team-red/n/red/i/app/api/-/manifests/{world.tag.manifest_id}/download/"
    answer = world.cast.client("owner").get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_an_invitation_shows_a_stranger_no_script(cast: Cast) -> None:
    Account.objects.filter(pk=cast.account.pk).update(name=NAME)
    _invitation, text = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    for client in (Client(), client_for(cast.stranger)):
        client.get(f"/invite/{text}/")
        assert escape(NAME) in shows(client, "/invite/")


def test_htmx_runs_nothing_and_asks_nobody_else() -> None:
    """Every whole page of ours has base.html's head, or none of its scripts."""
    found = re.search(r"name=\"htmx-config\"\s+content='([^']+)'", HEAD)
    assert found
    config = json.loads(found[1])
    assert config["allowEval"] is config["allowScriptTags"] is False
    assert config["selfRequestsOnly"] is True
    assert config["historyCacheSize"] == 0
    for path in Path(settings.BASE_DIR / "templates").rglob("*.html"):
        if "htmx" in path.read_text() and "<head>" in path.read_text():
            assert path.name == "base.html"


def test_rows_of_this_world_are_all_hostile(world: World) -> None:
    rows: list[Any] = [Account.objects.get(handle="team-red").name, ApiToken.objects.latest("id").name]
    assert all("<script>" in each for each in rows)
    assert Member.objects.filter(account=world.cast.account).count() == 3
