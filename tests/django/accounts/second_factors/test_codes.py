"""Signing in with a second factor: each code works once, whichever process is asked; wrong ones are counted."""

import re
from functools import partial
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from accounts.models import Person, SecurityEvent
from accounts.second_factors import codes
from tests import factories
from tests.django.accounts.second_factors import factors
from tests.django.attacks.together import raised, together

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> Person:
    return factories.PersonFactory(email="known@example.com")


def password_given(address: str = "192.0.2.1") -> Client:
    client = Client(REMOTE_ADDR=address)
    answer = client.post("/me/login/", {"login": "known@example.com", "password": factories.PASSWORD})
    assert answer.headers["Location"] == "/me/2fa/authenticate/"
    return client


def give(client: Client, code: str) -> HttpResponse:
    return client.post("/me/2fa/authenticate/", {"code": code})  # type: ignore[return-value]


def signed_in(client: Client) -> bool:
    return client.get("/me/tokens/").status_code == 200


def test_a_password_alone_signs_nobody_in_who_has_a_second_factor(person: Person) -> None:
    factors.add_app(person)
    client = password_given()
    assert not signed_in(client)
    assert give(client, factors.code()).status_code == 302
    assert signed_in(client)


@pytest.mark.parametrize("code", ["", "0", "abcdef", "１２３４５６", "\0" * 6, "9" * 5000, "000000 OR 1=1"])
def test_what_is_no_code_is_refused_at_its_field(person: Person, code: str) -> None:
    factors.add_app(person)
    client = password_given()
    answer = give(client, code)
    assert answer.status_code == 200
    assert 'id="id_code_error"' in answer.content.decode()
    assert not signed_in(client)


def test_a_code_of_the_app_works_once_and_so_does_each_after_it(person: Person) -> None:
    factors.add_app(person)
    assert codes.accept(person, factors.code())
    cache.clear()  # another process has another
    assert not codes.accept(person, factors.code())
    assert not codes.accept(person, factors.code(later=-1))
    assert codes.accept(person, factors.code(later=1))
    assert not codes.accept(person, factors.code(later=1))


def test_codes_of_half_a_minute_ago_and_ahead_are_taken_and_no_others(person: Person) -> None:
    factors.add_app(person)
    for later in (-3, 3):
        assert not codes.accept(person, factors.code(later=later))
    assert codes.accept(person, factors.code(later=-1))
    assert codes.accept(person, factors.code(later=1))


def test_the_code_that_set_the_app_up_signs_nobody_in(person: Person) -> None:
    client = Client()
    client.post("/me/login/", {"login": person.email, "password": factories.PASSWORD})
    page = client.get("/me/2fa/totp/activate/").text
    secret = re.findall(r'id="totp-key">(\w+)<', page)[0]
    code = factors.code(secret)
    assert (
        client.post("/me/2fa/totp/activate/", {"code": code}).headers["Location"] == "/me/2fa/recovery-codes/"
    )
    other = password_given()
    give(other, code)
    assert not signed_in(other)
    give(other, factors.code(secret, later=1))
    assert signed_in(other)


def test_a_recovery_code_works_once(person: Person) -> None:
    factors.add_app(person)
    first, second, *_others = factors.add_recovery_codes(person)
    assert codes.accept(person, f"{first[:4]} {first[4:]}")
    assert not codes.accept(person, first)
    assert codes.accept(person, second)


def test_nobody_elses_code_is_taken(person: Person) -> None:
    other = factories.PersonFactory()
    factors.add_app(person)
    factors.add_recovery_codes(person)
    recovery_code = factors.add_recovery_codes(other)[0]
    assert not codes.accept(other, factors.code())
    assert not codes.accept(person, recovery_code)


def test_wrong_codes_keep_out_the_place_they_come_from_and_not_the_person(person: Person) -> None:
    factors.add_app(person)
    guesser = password_given("192.0.2.1")
    for _guess in range(5):
        assert "This code is wrong" in give(guesser, factors.wrong_code()).content.decode()
    assert "Too many failed login attempts" in give(guesser, factors.code()).content.decode()
    assert not signed_in(guesser)
    owner = password_given("198.51.100.1")
    give(owner, factors.code())
    assert signed_in(owner)


def test_right_codes_are_no_guesses(person: Person) -> None:
    factors.add_app(person)
    all_of_them = factors.add_recovery_codes(person)
    for code in all_of_them:
        client = password_given()
        give(client, code)
        assert signed_in(client)


def test_wrong_codes_from_everywhere_end_at_a_hundred_a_day(person: Person, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"second_factor_failed": "3/d/key"}
    factors.add_app(person)
    for place in range(3):
        give(password_given(f"192.0.2.{place}"), factors.wrong_code())
    late = password_given("198.51.100.1")
    assert "Too many wrong codes today" in give(late, factors.code()).content.decode()
    assert not signed_in(late)


def test_the_codes_of_one_person_are_no_business_of_anothers_counts(person: Person, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"second_factor_failed": "1/d/key"}
    other = factories.PersonFactory(email="other@example.com")
    for each in (person, other):
        factors.add_app(each)
    give(password_given(), factors.wrong_code())
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.post("/me/login/", {"login": other.email, "password": factories.PASSWORD})
    give(client, factors.code())
    assert signed_in(client)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_many_who_give_one_code_at_once_one_gets_in(kind: str) -> None:
    person = factories.PersonFactory()
    factors.add_app(person)
    recovery_codes = factors.add_recovery_codes(person)
    code = factors.code() if kind == "app" else recovery_codes[0]
    results = together([partial(codes.accept, person, code)] * 4)
    assert not raised(results)
    assert len([each for each in results if each]) == 1
    assert Authenticator.objects.count() == 2


def test_who_is_disabled_before_the_second_page_is_not_signed_in(db: None) -> None:
    person = factories.PersonFactory()
    factors.add_app(person)
    client = Client()
    client.post("/me/login/", {"login": person.email, "password": factories.PASSWORD})
    Person.objects.filter(pk=person.pk).update(is_active=False)
    answer = client.post("/me/2fa/authenticate/", {"code": factors.code()})
    assert answer.headers["Location"] == "/me/inactive/"
    assert "_auth_user_id" not in client.session
    assert not SecurityEvent.objects.filter(person=person, kind="signed_in").exists()
