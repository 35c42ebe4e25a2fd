"""Passkeys, as far as no browser is needed: what they are made for, and what is refused. tests/e2e has the rest."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Person
from tests import factories as rows
from tests.cast import client_for, just_signed_in
from tests.django.accounts.second_factors import factors

pytestmark = pytest.mark.django_db
LOGIN, ADD = "/me/2fa/webauthn/login/", "/me/2fa/webauthn/add/"
JSON = {"Accept": "application/json"}
# JSON that is no credential, and the shapes that one has, with nonsense in them.
NONSENSE: list[Any] = [
    None, 1, "text", [], {}, {"id": 1}, {"response": None}, {"response": {"userHandle": 5}},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {"userHandle": "MQ", "clientDataJSON": "e30",
     "authenticatorData": "AA", "signature": "AA"}},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {"userHandle": "ZZZZZZZZZZZZZZZZZZZZ",
     "clientDataJSON": "e30", "attestationObject": "AA", "authenticatorData": "A" * 100, "signature": ""}},
    {"id": "\0", "rawId": [], "type": {}, "response": [[[]]]},
]  # fmt: skip


@pytest.fixture
def person(db: None) -> Person:
    return rows.PersonFactory(email="known@example.com")


def test_a_passkey_belongs_to_the_public_host(person: Person, settings: Any) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://registry.example.com:8443", ["*"]
    asked = Client().get(LOGIN, headers={**JSON, "Host": "other.example.com"}).json()
    assert asked["request_options"]["publicKey"]["rpId"] == "registry.example.com"
    page = just_signed_in(client_for(person)).get(ADD, headers={"Host": "other.example.com"}).text
    assert '"id": "registry.example.com"' in page
    assert "other.example.com" not in page


@pytest.mark.parametrize("credential", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_signs_nobody_in_and_breaks_nothing(person: Person, credential: Any) -> None:
    factors.add_app(person)
    client = Client()
    client.get(LOGIN, headers=JSON)
    answer = client.post(LOGIN, {"credential": json.dumps(credential)})
    assert answer.status_code == 302
    assert client.get("/me/tokens/").status_code == 302
    client.post("/me/login/", {"login": person.email, "password": rows.PASSWORD})
    assert client.post("/me/2fa/authenticate/", {"credential": json.dumps(credential)}).status_code == 200
    assert client.get("/me/tokens/").status_code == 302


@pytest.mark.parametrize("credential", [*NONSENSE, {"id": "A" * 20_000}], ids=range(len(NONSENSE) + 1))
def test_nonsense_is_no_passkey(person: Person, credential: Any) -> None:
    client = just_signed_in(client_for(person))
    client.get(ADD)
    assert client.post(ADD, {"name": "Laptop", "credential": json.dumps(credential)}).status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", ["[" * 20_000, '{"a":' * 20_000])
@pytest.mark.parametrize("page", [ADD, LOGIN, "/me/2fa/webauthn/reauthenticate/"])
def test_json_without_an_end_is_no_passkey(person: Person, page: str, credential: str) -> None:
    factors.add_app(person)
    client = Client() if page == LOGIN else just_signed_in(client_for(person))
    client.get(ADD)
    assert client.post(page, {"credential": credential}).status_code in (200, 302)
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_name_is_cleaned_and_bounded(person: Person) -> None:
    row, client = factors.add_passkey_row(person), just_signed_in(client_for(person))
    url = f"/me/2fa/webauthn/keys/{row.pk}/edit/"
    assert client.post(url, {"name": " My\u202e  key "}).status_code == 302
    row.refresh_from_db()
    assert row.data["name"] == "My key"
    assert 'id="id_name_error"' in client.post(url, {"name": "x" * 81}).text


@pytest.mark.parametrize("act", ["edit", "remove"])
def test_the_passkey_of_somebody_else_is_not_there(person: Person, act: str) -> None:
    row = factors.add_passkey_row(person)
    other = just_signed_in(client_for(rows.PersonFactory()))
    url = f"/me/2fa/webauthn/keys/{row.pk}/{act}/"
    assert other.get(url).status_code == 404
    assert other.post(url, {"name": "Mine"}).status_code == 404
    row.refresh_from_db()
    assert row.data["name"] == "Laptop"
    assert just_signed_in(client_for(person)).post(url, {"name": "Mine"}).status_code == 302


def test_asking_for_passkeys_writes_few_sessions(db: None) -> None:
    answers = {Client().get(LOGIN, headers=JSON).status_code for _each in range(40)}
    assert answers == {200, 429}
    assert Session.objects.count() == 30


def test_a_disabled_person_is_told_so_after_their_passkey(person: Person) -> None:
    person.is_active = False
    person.save()
    client = Client()
    answer = client.post("/me/login/", {"login": person.email, "password": rows.PASSWORD})
    assert client.get("/me/2fa/authenticate/").headers["Location"] == "/me/login/"
    assert answer.status_code in (200, 302)
