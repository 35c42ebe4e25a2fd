"""What ends access asks first, on a page that says who used it last and what stops; looking ends nothing."""

import re
from datetime import timedelta
from html import unescape

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Member
from namespaces.models import PullStats
from tests import factories
from tests.cast import Cast
from tests.django.api import world as worlds
from tests.django.api.world import World, snapshot
from tests.django.attacks import pages

USED = "CI deploy was used 32 s ago by docker/27.5 from 10.0.0.7."
# The page's name, and what its question says.
QUESTIONS = {
    "user-password": ["Replace the password of CI deploy?", USED, "the next login with it fails"],
    "user-disable": ["Disable CI deploy?", USED, "Its next login fails"],
    "grant-remove": [
        "from CI deploy?",
        USED,
        "It last pulled there: 3 days ago.",
        "It has no other permissions.",
    ],
    "member-remove": ["Remove viewer@example.com from Team Red?", "has never changed anything here"],
    "member-leave": [
        "Leave Team Red?",
        "1 open invitation link stops working.",
        "Only an owner of it can invite",
    ],
    "invitation-withdraw": ["Withdraw the invitation as viewer?", "stops working"],
    "api-token-revoke": ["Revoke", "was used 2 h ago.", "This cannot be undone."],
    "namespace-publish": [
        "Make red private?",
        "Last anonymous pull: 1 day ago",
        "denied at once",
    ],
    "retention-delete": ["Delete the rule for red", "It has never run."],
}


@pytest.fixture
def world(cast: Cast) -> World:
    world, now = worlds.make(cast), timezone.now()
    world.user.last_used_at = now - timedelta(seconds=32)
    world.user.last_used_from, world.user.last_used_with = "10.0.0.7", "docker/27.5"
    world.user.save()
    image = world.tag.image
    PullStats.objects.create(
        image=image, tag="1.0", username=world.user.username, count=1, last_at=now - timedelta(days=3)
    )
    PullStats.objects.create(image=image, tag="1.0", count=1, last_at=now - timedelta(days=1))
    ApiToken.objects.filter(pk=world.token.pk).update(last_used_at=now - timedelta(hours=2))
    return world


def page(name: str) -> pages.Page:
    return next(each for each in pages.every() if each.name == name)


def words(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.status_code
    assert "no-store" in answer["Cache-Control"]
    text = re.sub(r"<[^>]*>", "", answer.content.decode())
    return unescape(re.sub(r"\s+", " ", text))


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_question_says_who_used_it_last_and_what_stops(world: World, name: str) -> None:
    client, path = world.cast.client("owner"), page(name).path(world)
    before = snapshot()
    alone, in_dialog = words(client, path), words(client, path, **{"HX-Request": "true", "HX-Target": "ask"})
    for each in QUESTIONS[name]:
        assert each in alone
        assert each in in_dialog
    assert "Registry Manager" in alone
    assert "Registry Manager" not in in_dialog
    assert client.head(path).status_code == 200
    assert snapshot() == before


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_form_does_it(world: World, name: str) -> None:
    """As a browser without JavaScript sends it: what stands in the page, to where it says, and it is back there."""
    client, path = world.cast.client("manager" if name == "member-leave" else "owner"), page(name).path(world)
    if name == "namespace-publish":
        type(world.namespace).objects.update(public=True)
    before = snapshot()
    form = client.get(path).content.decode().split('<form method="post" action="')[-1]
    action, fields = (
        form.split('"')[0],
        dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("</form>")[0])),
    )
    fields.pop("csrfmiddlewaretoken")
    answer = client.post(action, fields)
    assert answer.status_code == (200 if name == "user-password" else 302)
    assert snapshot() != before


@pytest.mark.parametrize("name", sorted({*QUESTIONS} - {"member-leave", "api-token-revoke"}))
def test_who_may_not_do_it_is_not_asked(world: World, name: str) -> None:
    path = page(name).path(world)
    assert world.cast.client("viewer").get(path).status_code == 403
    assert world.cast.client("stranger").get(path).status_code == 404


def test_the_token_of_somebody_else_is_not_asked_about(world: World) -> None:
    assert world.cast.client("stranger").get(f"/me/tokens/{world.token.pk}/revoke/").status_code == 404


@pytest.mark.parametrize(
    "path", ["/a/team-red/n/red/permissions/", "/a/team-red/settings/", "/a/team-red/n/red/settings/"]
)
def test_no_page_ends_access_with_one_press(world: World, path: str) -> None:
    type(world.namespace).objects.update(public=True)
    user = world.user.get_absolute_url()
    for each in (path, user, "/me/tokens/", f"/a/team-red/n/red/rules/{world.rule.pk}/"):
        sent = re.findall(
            r'<form method="post"[^>]* action="([^"]*)"',
            world.cast.client("owner").get(each).content.decode(),
        )
        asked = {page(name).path(world) for name in QUESTIONS}
        assert not asked & set(sent)


def test_what_is_left_to_a_user_is_said(world: World) -> None:
    other = factories.GrantFactory(user=world.user, namespace=world.empty)
    text = words(world.cast.client("owner"), page("grant-remove").path(world))
    assert f"It keeps {other.word} on empty." in text


def test_cancel_and_the_answer_lead_back_to_where_one_was(world: World) -> None:
    here, path = world.user.get_absolute_url(), page("grant-remove").path(world)
    client = world.cast.client("owner")
    assert f'href="{here}" data-cancel' in client.get(path, {"next": here}).content.decode()
    assert "evil" not in client.get(path, {"next": "//evil.example/"}).content.decode()
    assert client.post(path, {"next": here}).url == here


def test_an_owner_is_asked_before_they_step_down(cast: Cast) -> None:
    Member.objects.filter(person=cast.manager).update(role="owner")
    client, path = cast.client("owner"), f"/a/team-red/settings/members/{cast.owner.pk}/role/"
    role = Member.objects.filter(account=cast.account, person=cast.owner).values_list("role", flat=True)
    asked = client.post(path, {"role": "viewer"})
    assert asked.url == f"{path}?role=viewer"
    assert "Become viewer of Team Red?" in words(client, asked.url)
    assert role.get() == "owner"
    client.post(path, {"role": "viewer", "sure": "yes"})
    assert role.get() == "viewer"
    others = cast.client("manager").post(
        f"/a/team-red/settings/members/{cast.viewer.pk}/role/", {"role": "manager"}
    )
    assert others.url == "/a/team-red/settings/"
    assert Member.objects.get(person=cast.viewer).role == "manager"


def test_other_sessions_are_told_before_they_end(cast: Cast) -> None:
    first, second = Client(), Client()
    for client in (first, second):
        client.force_login(cast.owner)
        UserSession.objects.create(
            user=cast.owner, session_key=client.session.session_key, ip="192.0.2.1", user_agent="Browser/1"
        )
    text = words(first, "/me/sessions/sign-out/")
    assert "Sign out 1 other session?" in text
    assert re.search(r"Browser/1 at 192.0.2.1 signed in just now", text)
    assert second.get("/me/tokens/").status_code == 200
    first.post("/me/sessions/")
    assert second.get("/me/tokens/").status_code == 302
    assert first.get("/me/sessions/sign-out/").status_code == 302


def test_an_address_is_asked_about_by_its_owner_alone(cast: Cast) -> None:
    EmailAddress.objects.create(user=cast.owner, email="second@example.com", verified=True)
    path = "/me/email/remove/?email=second@example.com"
    assert "Remove second@example.com?" in words(cast.client("owner"), path)
    assert cast.client("stranger").get(path).status_code == 404
