"""Links that are as good as a password: their address only leads on, and no other address and no header holds them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Person
from accounts.services import invitations, people
from tests.cast import Cast


def first(_cast: Cast, _mails: list[Any]) -> str:
    return f"/bootstrap/{people.make_operator_link()}/"


def invitation(cast: Cast, _mails: list[Any]) -> str:
    return f"/invite/{invitations.invite(by=cast.by('owner'), account=cast.account, role='viewer')[1]}/"


def reset(cast: Cast, mails: list[Any]) -> str:
    Client().post("/me/password/reset/", {"email": cast.viewer.email})
    return path_in(mails[-1])


def confirm(cast: Cast, _mails: list[Any]) -> str:
    address = EmailAddress.objects.create(user=cast.viewer, email=cast.viewer.email, primary=True)
    return f"/me/confirm-email/{EmailConfirmationHMAC.create(address).key}/"


def path_in(mail: Any) -> str:
    found = re.search(r"/me/\S+/key/\S+", str(mail.body))
    assert found
    return found[0]


def secret_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


LINKS = [first, invitation, reset, confirm]
every_link = pytest.mark.parametrize("make", LINKS, ids=lambda each: each.__name__)
Make = Callable[[Cast, list[Any]], str]


@every_link
def test_its_address_only_leads_to_another(cast: Cast, mailoutbox: list[Any], make: Make) -> None:
    link = make(cast, mailoutbox)
    answer = Client().get(link)
    assert answer.status_code == 302
    assert secret_of(link) not in str(answer.headers) + answer.content.decode()


@every_link
def test_the_page_behind_it_holds_it_nowhere(cast: Cast, mailoutbox: list[Any], make: Make) -> None:
    link, client = make(cast, mailoutbox), Client()
    page = client.get(link, follow=True)
    assert page.status_code == 200
    assert secret_of(link) not in page.request["PATH_INFO"]  # and so in no Referer
    assert secret_of(link) not in page.content.decode() + str(page.headers)


@pytest.mark.parametrize("make", [first, invitation], ids=lambda each: each.__name__)
def test_a_session_does_not_hold_it(cast: Cast, mailoutbox: list[Any], make: Make) -> None:
    link, client = make(cast, mailoutbox), Client()
    client.get(link)
    assert secret_of(link) not in str(dict(client.session.items()))


@pytest.mark.parametrize("make", [first, invitation, confirm], ids=lambda each: each.__name__)
def test_who_asks_for_its_head_alone_begins_no_session(cast: Cast, mailoutbox: list[Any], make: Make) -> None:
    link = make(cast, mailoutbox)
    assert Client().head(link).status_code == 302
    assert not Session.objects.exists()
    assert Client().get(link).status_code == 302
    assert Session.objects.exists()


def test_an_address_is_confirmed_at_the_page_without_the_key(cast: Cast) -> None:
    client = cast.client("viewer")
    link = confirm(cast, [])
    page = client.get(link, follow=True)
    assert "viewer@example.com" in page.content.decode()
    assert not EmailAddress.objects.get().verified
    client.post(page.request["PATH_INFO"])
    assert EmailAddress.objects.get().verified
    assert "no longer works" in client.get(link).content.decode()


def test_who_is_signed_in_as_another_is_signed_out_and_confirms(cast: Cast) -> None:
    client = cast.client("stranger")
    page = client.get(confirm(cast, []), follow=True)
    client.post(page.request["PATH_INFO"])
    assert EmailAddress.objects.get().verified
    assert client.get("/me/tokens/").status_code == 302


@pytest.mark.parametrize("key", ["nonsense", "address"])
def test_a_wrong_key_confirms_nothing(cast: Cast, key: str) -> None:
    link = confirm(cast, [])
    client = Client()
    client.get(f"/me/confirm-email/{key}/")
    assert client.post(f"/me/confirm-email/{key}/").status_code == 404
    assert not EmailAddress.objects.get().verified
    assert Client().post(link).status_code in (200, 302)
    assert EmailAddress.objects.get().verified


def test_a_new_password_is_chosen_at_the_page_without_the_key(cast: Cast, mailoutbox: list[Any]) -> None:
    client = Client()
    page = client.get(reset(cast, mailoutbox), follow=True)
    form = {"password1": "tall green ladder", "password2": "tall green ladder"}
    client.post(page.request["PATH_INFO"], form)
    assert Person.objects.get(pk=cast.viewer.pk).check_password("tall green ladder")
    assert "no longer works" in client.get(path_in(mailoutbox[0]), follow=True).content.decode()
