"""A person's password has a longest length, said in the field; a longer one is wrong, and is hashed for nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client

from accounts.models import Person
from accounts.names import PASSWORD_MAX
from tests import factories
from tests.cast import client_for, just_signed_in
from tests.django.attacks.test_enumeration import CountingHasher

pytestmark = pytest.mark.django_db
LONGEST = ("tall green ladder " * 20)[:PASSWORD_MAX]
LONGER = LONGEST + "s"
SAID = f"at most {PASSWORD_MAX} characters"


@pytest.fixture(autouse=True)
def _counted(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.django.attacks.test_enumeration.CountingHasher"]


@pytest.fixture
def person() -> Person:
    found: Person = factories.PersonFactory(email="known@example.com")
    EmailAddress.objects.create(user=found, email=found.email, primary=True, verified=True)
    CountingHasher.hashed.clear()
    return found


def _sign_up(_person: Person, new: str, _mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    return Client(), "/me/signup/", {"email": "new@example.com", "password1": new, "password2": new}


def _change(person: Person, new: str, _mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    form = {"oldpassword": factories.PASSWORD, "password1": new, "password2": new}
    return client_for(person), "/me/password/change/", form


def _set(person: Person, new: str, _mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    person.set_unusable_password()
    person.save()
    return just_signed_in(client_for(person)), "/me/password/set/", {"password1": new, "password2": new}


def _reset(_person: Person, new: str, mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    client = Client()
    client.post("/me/password/reset/", {"email": "known@example.com"})
    link = "/me/password/reset/key/" + str(mails[-1].body).partition("/key/")[2].split()[0]
    return client, client.get(link).headers["Location"], {"password1": new, "password2": new}


@pytest.mark.parametrize("way", [_sign_up, _change, _set, _reset])
def test_the_longest_is_taken_and_a_longer_one_refused_at_its_field(
    person: Person,
    mailoutbox: list[EmailMessage],
    way: Callable[..., tuple[Client, str, dict[str, str]]],
) -> None:
    client, path, form = way(person, LONGER, mailoutbox)
    page = client.get(path).content.decode()
    assert SAID in page
    assert "<li>Your password may have" in page
    answer = client.post(path, form)
    assert answer.status_code == 200
    assert any(SAID in each for each in answer.context["form"].errors["password1"])
    assert max(CountingHasher.hashed, default=0) <= PASSWORD_MAX
    client, path, form = way(person, LONGEST, mailoutbox)
    assert client.post(path, form).status_code == 302


def sign_in(email: str, password: str) -> HttpResponse:
    return Client().post("/me/login/", {"login": email, "password": password})


@pytest.mark.parametrize("email", ["known@example.com", "unknown@example.com"])
def test_a_longer_one_at_sign_in_is_wrong_and_never_hashed(person: Person, email: str) -> None:
    too_long = sign_in(email, LONGER)
    assert CountingHasher.hashed == []
    wrong = sign_in(email, "wrong horse battery")
    assert too_long.context["form"].errors == wrong.context["form"].errors
    for _many in range(3):
        sign_in(email, LONGER)
    assert "Too many failed" in sign_in(email, factories.PASSWORD).content.decode()  # each was a guess


def test_nor_is_it_where_the_password_is_asked_again(person: Person) -> None:
    client = client_for(person)
    old = {"oldpassword": LONGER, "password1": LONGEST, "password2": LONGEST}
    for path, form in (("/me/reauthenticate/", {"password": LONGER}), ("/me/password/change/", old)):
        CountingHasher.hashed.clear()
        answer = client.post(path, form)
        assert answer.status_code == 200
        assert CountingHasher.hashed == []
        assert answer.context["form"].errors
