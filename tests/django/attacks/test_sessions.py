"""A session is worth something only to the one who signed in with it, and only as long as that person may be here."""

import json
import urllib.parse
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.services import people
from registry_sync.tasks import housekeeping
from tests import factories
from tests.cast import client_for, just_signed_in
from tests.django.accounts.second_factors import factors
from tests.parts import processes

COOKIE = settings.SESSION_COOKIE_NAME
NEW = "tall green ladder"


@pytest.fixture
def person(db: None) -> Person:
    person = factories.PersonFactory(email="known@example.com")
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    return person


def sign_in(client: Client, password: str = factories.PASSWORD) -> Client:
    client.post("/me/login/", {"login": "known@example.com", "password": password})
    return client


def key(client: Client) -> str:
    return client.cookies[COOKIE].value if COOKIE in client.cookies else ""


def holder(key: str) -> Client:
    """A browser that somebody gave this session."""
    client = Client()
    client.cookies[COOKIE] = key
    return client


def signed_in(client: Client) -> bool:
    return client.get("/me/tokens/").status_code == 200


@pytest.fixture
def planted(person: Person) -> str:
    """The key of a real session that nobody is signed in to; its holder will want somebody to use it."""
    attacker = Client()
    attacker.get(f"/bootstrap/{people.make_operator_link()}/")
    assert Session.objects.filter(session_key=key(attacker)).exists()
    return key(attacker)


def test_signing_in_leaves_a_planted_session_behind(planted: str) -> None:
    victim = sign_in(holder(planted))
    assert signed_in(victim)
    assert key(victim) != planted
    assert not signed_in(holder(planted))
    assert not Session.objects.filter(session_key=planted).exists()


@pytest.mark.parametrize("invented", ["a" * 32, "known", "../../etc/passwd", "x" * 5000, "\0" * 32])
def test_a_key_of_somebodys_own_invention_never_becomes_a_session(person: Person, invented: str) -> None:
    victim = sign_in(holder(invented))
    assert key(victim) != invented
    assert signed_in(victim)
    assert not signed_in(holder(invented))


def test_a_key_in_the_address_is_no_session(person: Person) -> None:
    stolen = key(sign_in(Client()))
    assert Client().get("/me/tokens/", {COOKIE: stolen, "sessionid": stolen}).status_code == 302
    assert signed_in(holder(stolen))


def test_signing_up_leaves_a_planted_session_behind(planted: str, settings: object) -> None:
    victim = holder(planted)
    form = {"email": "new@example.com", "password1": NEW, "password2": NEW}
    assert victim.post("/me/signup/", form).status_code == 302
    assert signed_in(victim)
    assert not signed_in(holder(planted))


def test_signing_in_as_somebody_else_takes_nothing_along(person: Person) -> None:
    other = factories.PersonFactory(email="other@example.com")
    client = Client()
    client.force_login(other)
    session = client.session
    session["spent_forms"] = ["of the other"]
    session.save()
    before = key(client)
    client.logout()
    sign_in(client)
    assert key(client) != before
    assert client.session[SESSION_KEY] == str(person.pk)
    assert "spent_forms" not in client.session


def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(person: Person) -> None:
    client, other = sign_in(Client()), sign_in(Client())
    copy = holder(key(client))
    assert signed_in(copy)
    client.post("/me/logout/")
    assert not signed_in(copy)
    assert signed_in(other)


def test_a_new_password_ends_every_other_session(person: Person) -> None:
    here, elsewhere = sign_in(Client()), sign_in(Client())
    before = key(here)
    form = {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/me/password/change/", form).status_code == 302
    assert signed_in(here)
    assert key(here) != before
    assert not signed_in(elsewhere)
    assert not signed_in(holder(before))


def test_a_new_password_ends_a_sign_in_that_waits_for_its_second_factor(person: Person) -> None:
    factors.add_app(person)
    waiting = sign_in(Client())
    person.set_password(NEW)
    person.save()
    answer = waiting.post("/me/2fa/authenticate/", {"code": factors.code()}, follow=True)
    assert answer.redirect_chain[0][0] == "/me/login/"
    assert b"Your password has changed in the meantime." in answer.content
    assert not signed_in(waiting)
    assert signed_in(second_step(sign_in(waiting, NEW), later=1))


def test_a_password_does_not_wait_in_the_session_for_the_confirmation(person: Person) -> None:
    """Who signs in at the provider alone sets one, after having gone for a while."""
    person.set_unusable_password()
    person.save()
    factors.add_app(person)
    client, page = client_for(person), "/me/password/set/"
    answer = client.post(page, {"password1": NEW, "password2": NEW})
    assert answer.headers["Location"] == page
    assert NEW not in urllib.parse.unquote_plus(json.dumps(dict(client.session.items())))
    assert client.get(page).headers["Location"].startswith("/me/2fa/reauthenticate/")
    just_signed_in(client).post(page, {"password1": NEW, "password2": NEW})
    person.refresh_from_db()
    assert person.check_password(NEW)


def second_step(client: Client, *, later: int) -> Client:
    client.post("/me/2fa/authenticate/", {"code": factors.code(later=later)})
    return client


@pytest.fixture
def mail_server(settings: Any) -> None:
    """What EMAIL_URL changes."""
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True


def change_password(client: Client) -> int:
    form = {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}
    return client.post("/me/password/change/", form).status_code


def test_the_owner_hears_of_a_new_password(
    person: Person, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    assert change_password(sign_in(Client())) == 302
    (mail,) = mailoutbox
    assert mail.to == ["known@example.com"]
    assert "127.0.0.1" in mail.body
    assert NEW not in mail.body


def test_a_new_password_stands_though_the_mail_about_it_does_not_leave(
    person: Person, mail_server: None, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", processes.free_port()
    assert change_password(sign_in(Client())) == 302
    assert signed_in(sign_in(Client(), NEW))


def test_a_session_that_was_left_open_is_not_enough_to_change_the_address(
    person: Person,
) -> None:
    client = sign_in(Client())
    assert client.get("/me/email/").status_code == 200
    session = client.session
    for signed_in_by in session["account_authentication_methods"]:
        signed_in_by["at"] -= 3600
    session.save()
    answer = client.post("/me/email/", {"action_add": "", "email": "thief@example.com"})
    assert answer.headers["Location"].startswith("/me/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.com").exists()
    client.post("/me/reauthenticate/", {"password": factories.PASSWORD})
    client.post("/me/email/", {"action_add": "", "email": "mine@example.com"})
    assert EmailAddress.objects.filter(email="mine@example.com").exists()


def test_a_password_that_was_not_changed_ends_nothing(person: Person) -> None:
    here, elsewhere = sign_in(Client()), sign_in(Client())
    here.post("/me/password/change/", {"oldpassword": "wrong", "password1": NEW, "password2": NEW})
    assert signed_in(here)
    assert signed_in(elsewhere)


def test_a_reset_password_ends_every_session(person: Person, mailoutbox: list[EmailMessage]) -> None:
    elsewhere = sign_in(Client())
    client = Client()
    client.post("/me/password/reset/", {"email": person.email})
    path = str(mailoutbox[0].body).partition(settings.PUBLIC_URL)[2].split()[0]
    assert signed_in(elsewhere)
    client.post(client.get(path).headers["Location"], {"password1": NEW, "password2": NEW})
    assert not signed_in(elsewhere)
    assert signed_in(sign_in(Client(), NEW))


def test_a_person_who_is_switched_off_is_out_at_once_and_stays_out(person: Person) -> None:
    client = sign_in(Client())
    other = Client()
    other.force_login(factories.PersonFactory())
    Person.objects.filter(pk=person.pk).update(is_active=False)
    assert not signed_in(client)
    assert not signed_in(sign_in(Client()))
    assert signed_in(other)


def test_a_person_who_is_gone_leaves_no_session(person: Person) -> None:
    client = sign_in(Client())
    person.delete()
    assert not signed_in(client)


def test_an_operator_who_is_none_any_more_is_none_in_the_running_session(person: Person) -> None:
    Person.objects.filter(pk=person.pk).update(is_staff=True)
    client = sign_in(Client())
    assert client.get("/system/").status_code == 200
    Person.objects.filter(pk=person.pk).update(is_staff=False)
    assert client.get("/system/").status_code == 404
    assert signed_in(client)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(person: Person) -> None:
    cookie = sign_in(Client()).cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == ""
    assert cookie["path"] == "/"


def test_one_persons_list_of_sessions_holds_and_ends_no_others(person: Person) -> None:
    """The form takes the keys of sessions to end: somebody else's are not among the choices."""
    client = sign_in(Client())
    other = factories.PersonFactory(email="other@example.com")
    EmailAddress.objects.create(user=other, email=other.email, primary=True, verified=True)
    theirs = Client()
    theirs.post("/me/login/", {"login": other.email, "password": factories.PASSWORD})
    assert signed_in(theirs)
    assert key(theirs) not in client.get("/me/sessions/").content.decode()
    client.post("/me/sessions/", {"session": key(theirs), "user": other.pk})
    assert signed_in(theirs)
    again = sign_in(Client())
    client.post("/me/sessions/")
    assert not signed_in(again)
    assert signed_in(client)


def test_sessions_that_are_over_leave_no_row(person: Person) -> None:
    """Whoever only closes the browser would leave one for ever."""
    running, over = sign_in(Client()), sign_in(Client())
    Session.objects.filter(session_key=key(over)).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert UserSession.objects.count() == 2
    housekeeping()
    assert [each.session_key for each in Session.objects.all()] == [key(running)]
    assert [each.session_key for each in UserSession.objects.all()] == [key(running)]
    assert signed_in(running)
    assert not signed_in(over)
