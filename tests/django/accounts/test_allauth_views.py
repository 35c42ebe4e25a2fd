"""/me/email/ and /me/sessions/: a person's own, and no button that would do nothing."""

import re

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from accounts import session_store
from accounts.models import Person
from tests.cast import Cast, client_for

PAGE = "/me/email/"


def offered(person: Person) -> dict[str, set[str]]:
    """{address: the acts that its row offers}"""
    page = client_for(person).get(PAGE).text.split('class="list-unstyled mb-0 divide-y"')[1].split("</ul>")[0]
    found = {}
    for row in page.split("<li>")[1:]:
        acts = {*re.findall(r'name="action_(\w+)"', row)} | ({"remove"} if "email/remove" in row else set())
        found[re.findall(r"[\w.-]+@[\w.-]+", row)[0]] = acts
    return found


def add(person: Person, email: str, *, primary: bool = False, verified: bool = False) -> None:
    EmailAddress.objects.create(user=person, email=email, primary=primary, verified=verified)


def test_each_address_offers_what_can_be_done_to_it(cast: Cast) -> None:
    me = cast.owner.email
    add(cast.owner, me, primary=True, verified=True)
    assert offered(cast.owner) == {me: set()}
    add(cast.owner, "second@example.com", verified=True)
    add(cast.owner, "third@example.com")
    assert offered(cast.owner) == {
        me: set(),
        "second@example.com": {"primary", "remove"},
        "third@example.com": {"send", "remove"},
    }
    EmailAddress.objects.update(verified=False)
    assert offered(cast.owner)["third@example.com"] == {"primary", "send", "remove"}


def test_an_address_without_a_row_is_shown_and_gets_one_when_something_is_done(cast: Cast) -> None:
    assert offered(cast.viewer) == {cast.viewer.email: {"send"}}
    assert not EmailAddress.objects.exists()
    client_for(cast.viewer).post(PAGE, {"email": cast.viewer.email, "action_send": ""})
    assert EmailAddress.objects.get().email == cast.viewer.email


def test_sessions_that_ended_are_not_shown(cast: Cast) -> None:
    here, there = client_for(cast.owner), client_for(cast.owner)
    for client, name in ((here, "Here/1"), (there, "There/1")):
        UserSession.objects.create(
            user=cast.owner, session_key=client.session.session_key, ip="192.0.2.1", user_agent=name
        )
    assert "2 sessions" in here.get("/me/sessions/").text
    Session.objects.filter(pk=there.session.session_key).delete()
    assert "1 session<" in here.get("/me/sessions/").text
    assert UserSession.objects.count() == 2  # the worker takes its row away
    assert "192.0.2.1" not in client_for(cast.stranger).get("/me/sessions/").text
    session_store.forget_expired()
    assert UserSession.objects.get().session_key == here.session.session_key
