"""Who is let in: API tokens of persons and the panel's session, and nothing that belongs to the registry."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import credentials
from accounts.models import Account, ApiToken
from tests import factories
from tests.cast import Cast, client_for
from tests.django.api.caller import API, Caller, error_of, token_of

ME = f"{API}me/"
OPEN = f"{API}accounts/"


def test_a_token_is_its_person(cast: Cast) -> None:
    for person in (cast.owner, cast.stranger):
        body = json.loads(Caller(token_of(person)).get("me/").content)
        assert (body["id"], body["email"], body["is_operator"]) == (person.pk, person.email, False)


def test_an_expired_token_is_refused(cast: Cast) -> None:
    live = token_of(cast.owner, expires_at=timezone.now() + timedelta(minutes=1))
    late = token_of(cast.owner, expires_at=timezone.now() - timedelta(seconds=1))
    assert Caller(live).get("me/").status_code == 200
    assert Caller(late).get("me/").status_code == 401


def test_the_token_of_a_deactivated_person_is_refused(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner))
    assert caller.get("me/").status_code == 200
    cast.owner.is_active = False
    cast.owner.save()
    assert caller.get("me/").status_code == 401


def test_a_revoked_token_is_refused(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner))
    assert caller.get("me/").status_code == 200
    ApiToken.objects.all().delete()
    assert caller.get("me/").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 100_000,
        "Token abc",
        "Basic !!!",
        "Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvd25lckBleGFtcGxlLmNvbSJ9.c2ln",
    ],
)
def test_what_is_no_token_is_refused(cast: Cast, header: str) -> None:
    response = Client().get(ME, headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="registry-manager"'
    assert error_of(response)["code"] == "unauthenticated"


@pytest.mark.parametrize("prefix", ["rma", "rmp", "rml"])
def test_a_well_formed_secret_that_nobody_was_given_is_refused(cast: Cast, prefix: str) -> None:
    assert Caller(credentials.make(prefix)).get("me/").status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_the_password_of_a_registry_user_is_refused(cast: Cast, scheme: str) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    basic = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    text = {"Bearer": user.password, "Basic": basic}[scheme]
    response = Client().get(ME, headers={"Authorization": f"{scheme} {text}"})
    assert response.status_code == 401
    assert not response.cookies


def test_the_password_of_a_person_is_refused(cast: Cast) -> None:
    basic = base64.b64encode(f"{cast.owner.email}:{factories.PASSWORD}".encode()).decode()
    assert Client().get(ME, headers={"Authorization": f"Basic {basic}"}).status_code == 401


def test_a_wrong_header_never_falls_back_to_the_session(cast: Cast) -> None:
    browser = cast.client("owner")
    assert browser.get(ME).status_code == 200
    assert browser.get(ME, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_token_makes_no_session(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner))
    assert not caller.get("me/").cookies
    caller.headers = {}
    assert caller.get("me/").status_code == 401


def test_a_token_does_not_open_the_pages(cast: Cast) -> None:
    page = Client().get("/a/team-red/users/", headers={"Authorization": f"Bearer {token_of(cast.owner)}"})
    assert page.status_code == 302


def test_a_session_writes_only_with_the_csrf_token(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.owner)
    browser.get("/a/team-red/users/new/")  # sets the cookie
    token = browser.cookies["panel_csrf"].value
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "a" * 32}):
        response = browser.post(OPEN, {"name": "Blue"}, content_type="application/json", headers=headers)
        assert response.status_code == 403
        assert error_of(response)["code"] == "permission_denied"
    foreign = {"X-CSRFToken": token, "Origin": "https://evil.example"}
    assert browser.post(OPEN, {"name": "Blue"}, "application/json", headers=foreign).status_code == 403
    assert not Account.objects.filter(name="Blue").exists()
    right = {"X-CSRFToken": token}
    assert browser.post(OPEN, {"name": "Blue"}, "application/json", headers=right).status_code == 201


def test_a_get_with_a_session_changes_nothing_and_needs_no_token(cast: Cast) -> None:
    assert client_for(cast.owner).get(OPEN).status_code == 200
