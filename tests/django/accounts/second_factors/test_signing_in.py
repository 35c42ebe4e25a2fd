"""Passkeys that are real: what signs in, and what of it does not."""

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import Person
from tests import factories as rows
from tests.cast import client_for, just_signed_in
from tests.django.accounts.second_factors.device import Device

pytestmark = pytest.mark.django_db
LOGIN, ADD = "/me/2fa/webauthn/login/", "/me/2fa/webauthn/add/"


@pytest.fixture
def person(db: None) -> Person:
    return rows.PersonFactory(email="known@example.com")


def options_in(page: str, name: str) -> dict[str, Any]:
    data = re.search(r'<script id="passkey_data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert data
    found: dict[str, Any] = json.loads(data[1])[name]
    return found


def add(person: Person, device: Device, *, alone: bool = True) -> bool:
    client = just_signed_in(client_for(person))
    options = options_in(client.get(ADD).text, "creation_options")
    form = {
        "name": "Laptop",
        "credential": device.register(options),
        **({"passwordless": "on"} if alone else {}),
    }
    return client.post(ADD, form).status_code == 302


def asked() -> tuple[Client, dict[str, Any]]:
    client = Client()
    options = client.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    return client, options


def signed_in(client: Client) -> bool:
    return client.get("/me/tokens/").status_code == 200


def test_a_passkey_signs_in_alone(person: Person) -> None:
    device = Device()
    assert add(person, device)
    client, options = asked()
    assert client.post(LOGIN, {"credential": device.sign(options)}).status_code == 302
    assert signed_in(client)
    assert client.get("/me/2fa/recovery-codes/generate/").status_code == 200  # and is a fresh proof


def test_it_is_the_second_factor_after_a_password(person: Person) -> None:
    device = Device(verifies=False)
    assert add(person, device, alone=False)
    client = Client()
    client.post("/me/login/", {"login": person.email, "password": rows.PASSWORD})
    options = options_in(client.get("/me/2fa/authenticate/").text, "request_options")
    client.post("/me/2fa/authenticate/", {"credential": device.sign(options)})
    assert signed_in(client)


def test_a_device_that_does_not_know_its_owner_signs_in_with_the_password_alone(person: Person) -> None:
    device = Device(verifies=False)
    assert not add(person, device, alone=True)
    assert add(person, device, alone=False)
    client, options = asked()
    client.post(LOGIN, {"credential": device.sign(options)})
    assert not signed_in(client)


WRONG: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://evil.example"},
    "a subdomain": {"origin": "http://evil.localhost:8000"},
    "another port": {"origin": "http://localhost:9000"},
    "another name": {"rp": "evil.example"},
    "another key": {"key": Device().key},
    "another id": {"id": b"x" * 32},
    "another person": {"handle": "OTk5OTk"},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_signed_for_something_else_signs_nobody_in(person: Person, what: str) -> None:
    device = Device()
    assert add(person, device)
    client, options = asked()
    vars(device).update(WRONG[what])
    client.post(LOGIN, {"credential": device.sign(options)})
    assert not signed_in(client)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://evil.localhost:8000", "http://localhost:9000"]
)
def test_nor_is_it_added(person: Person, origin: str) -> None:
    assert not add(person, Device(origin=origin))
    assert not Authenticator.objects.exists()


def test_an_answer_works_once_and_in_the_session_that_was_asked(person: Person) -> None:
    device = Device()
    assert add(person, device)
    client, options = asked()
    answer = device.sign(options)
    other, _options = asked()
    other.post(LOGIN, {"credential": answer})
    assert not signed_in(other)
    client.post(LOGIN, {"credential": answer})
    assert signed_in(client)
    client.post("/me/logout/")
    client.post(LOGIN, {"credential": answer})
    assert not signed_in(client)


def test_the_passkey_of_one_person_is_no_second_factor_of_another(person: Person) -> None:
    device, other = Device(), rows.PersonFactory(email="other@example.com")
    assert add(person, device)
    assert add(other, Device())
    client = Client()
    client.post("/me/login/", {"login": other.email, "password": rows.PASSWORD})
    options = options_in(client.get("/me/2fa/authenticate/").text, "request_options")
    client.post("/me/2fa/authenticate/", {"credential": device.sign(options)})
    assert not signed_in(client)


def test_a_disabled_person_stays_out(person: Person) -> None:
    device = Device()
    assert add(person, device)
    Person.objects.update(is_active=False)
    client, options = asked()
    client.post(LOGIN, {"credential": device.sign(options)})
    assert not signed_in(client)
