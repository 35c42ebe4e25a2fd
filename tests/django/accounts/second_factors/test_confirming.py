"""Confirming that it is you before something dangerous (accounts/reauthentication.py)."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts import reauthentication
from accounts.models import AuditEvent, Person
from accounts.services import group_roles
from tests import factories as rows
from tests.cast import Cast, client_for, just_signed_in, principal_of
from tests.django.accounts.second_factors import factors

pytestmark = pytest.mark.django_db
GUARDED = "/me/2fa/recovery-codes/generate/"


@pytest.fixture
def person(db: None) -> Person:
    person = rows.PersonFactory(email="known@example.com")
    factors.add_app(person)
    factors.add_recovery_codes(person)
    factors.add_passkey_row(person)
    return person


def left_open(client: Client, *, seconds: int = reauthentication.FRESH + 1) -> Client:
    """The same session so many seconds later."""
    session = client.session
    for each in session["account_authentication_methods"]:
        each["at"] -= seconds
    session.save()
    return client


CHANGES = [
    ("POST", "/me/2fa/totp/deactivate/"),
    ("POST", "/me/2fa/recovery-codes/generate/"),
    ("GET", "/me/2fa/recovery-codes/"),
    ("GET", "/me/2fa/webauthn/add/"),
    ("POST", "/me/2fa/webauthn/add/"),
    ("POST", "/me/2fa/webauthn/keys/{passkey}/edit/"),
    ("POST", "/me/2fa/webauthn/keys/{passkey}/remove/"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_no_factor_is_changed_by_a_session_that_was_left_open(person: Person, method: str, path: str) -> None:
    passkey = Authenticator.objects.get(type="webauthn").pk
    before = list(Authenticator.objects.values_list("pk", "data"))
    client = left_open(just_signed_in(client_for(person)))
    answer = client.generic(method, path.format(passkey=passkey))
    assert answer.headers["Location"].startswith("/me/reauthenticate/?next=")
    assert list(Authenticator.objects.values_list("pk", "data")) == before


Proof = Callable[[Client], object]
PROOFS: dict[str, Proof] = {
    "password": lambda client: client.post("/me/reauthenticate/", {"password": rows.PASSWORD}),
    "code": lambda client: client.post("/me/2fa/reauthenticate/", {"code": factors.code()}),
}
NO_PROOFS: dict[str, Proof] = {
    "wrong password": lambda client: client.post("/me/reauthenticate/", {"password": "wrong"}),
    "wrong code": lambda client: client.post("/me/2fa/reauthenticate/", {"code": factors.wrong_code()}),
    "no passkey": lambda client: client.post("/me/2fa/webauthn/reauthenticate/", {"credential": "{}"}),
    "nothing": lambda client: client.get("/me/reauthenticate/"),
}


@pytest.mark.parametrize("way", [*PROOFS, *NO_PROOFS])
def test_what_proves_it_holds_for_five_minutes(person: Person, way: str) -> None:
    client = left_open(just_signed_in(client_for(person)))
    (PROOFS | NO_PROOFS)[way](client)
    proved = client.get(GUARDED).status_code == 200
    assert proved is (way in PROOFS)
    if proved:
        left_open(client, seconds=reauthentication.FRESH - 30)
        assert client.get(GUARDED).status_code == 200
        left_open(client, seconds=60)
        assert client.get(GUARDED).status_code == 302


def test_signing_in_is_a_proof_once_it_is_complete(person: Person) -> None:
    client = Client()
    client.post("/me/login/", {"login": person.email, "password": rows.PASSWORD})
    assert client.get(GUARDED).headers["Location"].startswith("/me/login/")
    client.post("/me/2fa/authenticate/", {"code": factors.code()})
    assert client.get(GUARDED).status_code == 200


def test_a_recovery_code_tells_what_to_do_next(person: Person) -> None:
    code = factors.add_recovery_codes(person)[0]
    client = Client()
    client.post("/me/login/", {"login": person.email, "password": rows.PASSWORD})
    page = client.post("/me/2fa/authenticate/", {"code": code}, follow=True).text
    assert "You used a recovery code; 9 are left." in page


def test_who_has_no_way_to_confirm_is_told_what_to_do(db: None) -> None:
    person = rows.PersonFactory()
    person.set_unusable_password()
    person.save()
    answer = client_for(person).post("/me/password/set/", {"password1": "x", "password2": "x"})
    assert answer.status_code == 403
    assert "Sign out and sign in again" in answer.text
    assert just_signed_in(client_for(person)).get("/me/password/set/").status_code == 200


def test_changes_are_in_the_audit_log(person: Person) -> None:
    client = just_signed_in(client_for(person))
    assert client.post("/me/2fa/totp/deactivate/").status_code == 302
    passkey = Authenticator.objects.get(type="webauthn")
    assert client.post(f"/me/2fa/webauthn/keys/{passkey.pk}/remove/").status_code == 302
    found = AuditEvent.objects.order_by("pk").values_list("action", "object")
    assert list(found) == [
        ("person.second_factor_removed", "authenticator app"),
        ("person.second_factor_removed", "Laptop"),
    ]
    assert not Authenticator.objects.exists()  # recovery codes go with the last


def test_who_confirmed_is_where_they_wanted_to_be_with_their_form(cast: Cast) -> None:
    client = cast.client("owner")
    answer = client.post("/a/team-red/settings/close/", {"confirm": "team-red"})
    assert answer.headers["Location"].startswith("/me/reauthenticate/?next=")
    cast.account.refresh_from_db()
    assert not cast.account.closed_at
    client.post(
        answer.headers["Location"], {"password": rows.PASSWORD, "next": "/a/team-red/settings/close/"}
    )
    cast.account.refresh_from_db()
    assert cast.account.closed_at


def test_so_is_who_requires_a_second_factor(cast: Cast) -> None:
    factors.add_app(cast.owner)
    client, url = cast.client("owner"), "/a/team-red/settings/second-factor/"
    answer = client.post(url, {"required": "yes"})
    client.post(answer.headers["Location"], {"password": rows.PASSWORD, "next": url})
    cast.account.refresh_from_db()
    assert cast.account.second_factor_required


def test_the_api_closes_no_account_by_a_session_that_was_left_open(cast: Cast) -> None:
    client = cast.client("owner")
    body = {"confirmation": "team-red"}
    answer = client.delete("/api/v1/accounts/team-red/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "reauthentication_required")
    just_signed_in(client)
    assert (
        client.delete("/api/v1/accounts/team-red/", body, content_type="application/json").status_code == 204
    )


@pytest.mark.parametrize("path", ["/me/2fa/totp/deactivate/", GUARDED])
def test_a_form_that_was_given_up_is_not_sent_when_its_page_is_opened_later(
    person: Person, path: str
) -> None:
    client = left_open(just_signed_in(client_for(person)))
    client.post(path)  # asked to confirm, and given up
    before = list(Authenticator.objects.values_list("pk", "data"))
    asked = client.get(path)
    client.post(asked.headers["Location"], {"password": rows.PASSWORD, "next": path})
    assert list(Authenticator.objects.values_list("pk", "data")) == before
    assert client.get(path).status_code == 200


def test_nor_where_a_page_of_ours_asks(cast: Cast, operator: Person) -> None:
    client = left_open(just_signed_in(client_for(operator)))
    row = group_roles.create(by=principal_of(operator), group="dev", account="team-red", role="viewer")
    url = f"/system/groups/{row.pk}/"
    client.post(url, {"role": "owner"})
    asked = client.get(url)
    client.post(asked.headers["Location"], {"password": rows.PASSWORD, "next": url})
    row.refresh_from_db()
    assert row.role == "viewer"
