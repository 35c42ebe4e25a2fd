"""A person's sessions, ended one by one, and the page of what happened to their ways in."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import security_events, session_seen
from accounts.common.pagination import PAGE_SIZE
from accounts.models import Person, SecurityEvent
from accounts.security_events import Kind
from tests import factories
from tests.cast import Cast, client_for
from tests.django.accounts.test_sign_ins import FIREFOX, SAFARI, sign_in

PAGE = "/me/sessions/"
EVENTS = "/me/security-events/"


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    session_seen.recently.forget()
    session_seen.seen.forget()


def row(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=client.session.session_key)


def signed_in(client: Client) -> bool:
    return client.get("/me/tokens/").status_code == 200


def test_they_are_called_by_browser_and_system(cast: Cast) -> None:
    here, _there = sign_in(cast.owner), sign_in(cast.owner, agent=SAFARI, address="198.51.100.7")
    page = here.get(PAGE).text
    assert "Firefox on Linux" in page
    assert "Safari on iOS" in page
    assert "198.51.100.7" in page
    assert page.count("this browser") == 1
    assert "Mozilla" not in page


def test_one_is_ended_and_the_others_go_on(cast: Cast) -> None:
    here, there, third = (sign_in(cast.owner) for _ in range(3))
    path = f"{PAGE}{row(there).pk}/sign-out/"
    assert "Firefox on Linux" in here.get(path).text
    assert signed_in(there)
    assert here.post(path).url == PAGE
    assert [signed_in(each) for each in (here, there, third)] == [True, False, True]
    event = security_events.of_person(cast.owner.pk)[0]
    assert (event.kind, event.detail) == (Kind.SESSION_ENDED, "Firefox on Linux")
    assert here.post(path).status_code == 404


def test_the_list_costs_the_same_however_many_there_are(cast: Cast) -> None:
    client, counts = sign_in(cast.owner), []
    for _ in range(2):
        client.get(PAGE)
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        counts.append(len(asked))
        for _more in range(3):
            sign_in(cast.owner)
    assert counts[0] == counts[1]


def test_nobody_ends_a_session_of_somebody_else(cast: Cast) -> None:
    mine, theirs = sign_in(cast.owner), sign_in(cast.viewer)
    path = f"{PAGE}{row(theirs).pk}/sign-out/"
    assert mine.get(path).status_code == mine.post(path).status_code == 404
    assert Client().post(path).status_code == 302
    assert signed_in(theirs)


def test_this_one_is_ended_by_signing_out(cast: Cast) -> None:
    here = sign_in(cast.owner)
    assert here.post(f"{PAGE}{row(here).pk}/sign-out/").url == "/me/logout/"
    assert signed_in(here)


def test_all_others_are_ended_together(cast: Cast) -> None:
    here, there, third = (sign_in(cast.owner) for _ in range(3))
    theirs = sign_in(cast.viewer)
    assert "2 other sessions" in here.get(f"{PAGE}sign-out/").text
    assert here.post(PAGE).url == PAGE
    assert [signed_in(each) for each in (here, there, third, theirs)] == [True, False, False, True]
    assert security_events.of_person(cast.owner.pk)[0].detail == "2 other sessions"
    here.post(PAGE)  # nobody is left
    ended = security_events.of_person(cast.owner.pk).filter(kind=Kind.SESSION_ENDED)
    assert ended.count() == 1


def test_last_seen_is_written_by_the_hour(cast: Cast) -> None:
    client = sign_in(cast.owner)
    long_ago = timezone.now() - timedelta(hours=2)
    UserSession.objects.update(last_seen_at=long_ago)
    session_seen.recently.forget()
    session_seen.seen.forget()
    for _ in range(3):
        client.get(PAGE)
    assert row(client).last_seen_at == long_ago  # a page writes nothing
    assert session_seen.seen.write() == 1
    assert row(client).last_seen_at > timezone.now() - timedelta(minutes=1)
    client.get(PAGE)
    assert session_seen.seen.write() == 0


def test_who_has_not_signed_in_is_not_seen(cast: Cast) -> None:
    Client().get("/me/login/")
    assert session_seen.seen.write() == 0


def test_a_process_remembers_a_bounded_number() -> None:
    recently, now = session_seen.Recently(2), timezone.now()
    assert [recently.first_in_an_hour(key, now) for key in "aab"] == [True, False, True]
    assert recently.first_in_an_hour("c", now)
    assert recently.first_in_an_hour("a", now)  # it gave way
    assert recently.first_in_an_hour("c", now + session_seen.EVERY)


def test_events_are_for_the_person_alone(cast: Cast, operator: Person) -> None:
    sign_in(cast.owner, agent=FIREFOX, address="198.51.100.7")
    security_events.note(
        person_id=cast.owner.pk, kind=Kind.MADE_OPERATOR, by=cast.by("manager"), detail="<b>all"
    )
    page = client_for(cast.owner).get(EVENTS).text
    for text in ("Signed in", "with the password", "198.51.100.7", "Firefox on Linux", "Made an operator"):
        assert text in page
    assert "by manager@example.com" in page
    assert "&lt;b&gt;all" in page
    for who in (cast.viewer, operator):
        assert "198.51.100.7" not in client_for(who).get(EVENTS).text
    assert Client().get(EVENTS).status_code == 302


def test_events_are_paged(cast: Cast) -> None:
    now = timezone.now()
    SecurityEvent.objects.bulk_create(
        SecurityEvent(
            person=cast.owner, kind=Kind.SIGNED_IN, at=now - timedelta(minutes=n), address=f"10.0.0.{n}"
        )
        for n in range(PAGE_SIZE + 1)
    )
    client = client_for(cast.owner)
    first = client.get(EVENTS)
    assert f"10.0.0.{PAGE_SIZE}<" not in first.text
    assert f"10.0.0.{PAGE_SIZE}<" in client.get(EVENTS + first.context["page"].next_url).text
    assert client.get(f"{EVENTS}?page=broken").status_code == 400


def test_a_name_is_not_translated(cast: Cast) -> None:
    security_events.note(
        person_id=cast.owner.pk, kind=Kind.API_TOKEN_CREATED, by=cast.by("owner"), detail="Signed in"
    )
    page = client_for(cast.owner).get(EVENTS, headers={"Accept-Language": "fr"}).text
    assert "Jeton d’API créé" in page
    assert ">Signed in<" in page


def test_a_wrong_password_is_no_session(cast: Cast) -> None:
    sign_in(cast.owner, password="wrong horse battery")
    assert not UserSession.objects.exists()
    assert sign_in(cast.owner, password=factories.PASSWORD)
    assert UserSession.objects.count() == 1
