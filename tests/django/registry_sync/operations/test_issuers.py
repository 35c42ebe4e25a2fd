"""Operators see whose ID tokens are accepted, and change it; to everybody else the pages and the API are not there."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.common.lazy_text import lazy
from accounts.id_tokens import keys
from accounts.models import AuditEvent, IdTokenIssuer, Person
from accounts.services import issuers as service
from tests.cast import Cast, client_for, just_signed_in
from tests.django.api.caller import Caller, error_of, token_of
from tests.factories import IdTokenIssuerFactory, TrustPolicyFactory
from tests.parts.id_token_issuer import SigningKey

pytestmark = pytest.mark.django_db

URL = "https://issuer.example.com"
KEY = SigningKey.make("first-key", "ES256")
JWKS = json.dumps({"keys": [KEY.published]})


@pytest.fixture
def browser(operator: Person) -> Client:
    return just_signed_in(client_for(operator))


@pytest.fixture
def caller(operator: Person) -> Caller:
    return Caller(token_of(operator))


@pytest.fixture
def issuer() -> IdTokenIssuer:
    found: IdTokenIssuer = IdTokenIssuerFactory(url=URL, name="Ours")
    return found


def page(issuer: IdTokenIssuer, act: str = "") -> str:
    return f"/system/issuers/{issuer.pk}/{act and act + '/'}"


def text(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


ACTS = ["", "edit", "fetch", "enable", "disable", "delete"]


def test_services_that_run_jobs_for_everybody_are_there_from_the_start(browser: Client) -> None:
    shown = text(browser.get("/system/issuers/"))
    for url in ("https://token.actions.githubusercontent.com", "https://gitlab.com"):
        assert url in shown
    assert "not fetched yet" in shown


@pytest.mark.parametrize("who", ["owner", "manager", "viewer", "stranger"])
@pytest.mark.parametrize("act", ACTS)
def test_for_others_nothing_is_there(cast: Cast, issuer: IdTokenIssuer, who: str, act: str) -> None:
    client = just_signed_in(cast.client(who))
    assert client.get(page(issuer, act)).status_code == 404
    assert client.post(page(issuer, act), {"name": "mine"}).status_code == 404
    assert client.post("/system/issuers/new/", {"url": "https://other.example.com"}).status_code == 404
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_an_accounts_own_issuer_is_not_the_operators(browser: Client, cast: Cast, act: str) -> None:
    own = IdTokenIssuerFactory(account=cast.account, url=URL, pasted_jwks=JWKS)
    answers = [browser.get(page(own, act)), browser.post(page(own, act), {"name": "mine"})]
    assert {each.status_code for each in answers} <= {404, 405}
    assert own.url not in text(browser.get("/system/issuers/"))
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ["edit", "enable", "disable", "delete"])
def test_a_session_left_open_changes_nothing(operator: Person, issuer: IdTokenIssuer, act: str) -> None:
    client = client_for(operator)
    client.post(page(issuer, act), {"name": "mine"})
    client.post("/system/issuers/new/", {"url": "https://other.example.com"})
    assert not AuditEvent.objects.exists()
    assert client.get(page(issuer)).status_code == 200


def test_one_is_added_and_its_keys_are_awaited(browser: Client) -> None:
    answer = browser.post("/system/issuers/new/", {"url": URL, "name": "Ours", "preset": "gitlab"})
    row = IdTokenIssuer.objects.get(url=URL)
    assert answer["Location"] == page(row)
    assert (row.name, row.preset) == ("Ours", "gitlab")
    browser.post(page(row, "fetch"))
    assert "Waiting for the worker" in text(browser.get(page(row)))
    assert keys.any_due()


def test_wrong_input_stands_beside_its_field(browser: Client) -> None:
    answer = browser.post("/system/issuers/new/", {"url": "http://x", "pasted_jwks": JWKS})
    assert answer.status_code == 400
    assert "The URL must begin with https://." in text(answer)
    secret = json.dumps({"keys": [KEY.published | {"d": "AA"}]})
    answer = browser.post("/system/issuers/new/", {"url": URL, "pasted_jwks": secret})
    assert "This is a private key (first-key)" in text(answer)
    assert not IdTokenIssuer.objects.filter(url=URL).exists()


def test_pasted_keys_are_shown_and_nothing_to_fetch_is_offered(browser: Client) -> None:
    browser.post("/system/issuers/new/", {"url": URL, "pasted_jwks": JWKS})
    row = IdTokenIssuer.objects.get(url=URL)
    shown = text(browser.get(page(row)))
    assert "first-key" in shown
    assert "pasted; never fetched" in shown
    assert "Fetch keys now" not in shown
    assert "Its keys are pasted, so there is nothing to fetch." in text(
        browser.post(page(row, "fetch"), follow=True)
    )


def test_a_failure_is_shown_in_the_list_and_on_the_page(browser: Client, issuer: IdTokenIssuer) -> None:
    now, problem = timezone.now(), lazy("%(url)s answers %(status)s.", url=URL, status="503")
    tried = {"tried_at": now, "next_try_at": now + timedelta(minutes=4), "problem": problem, "failures": 3}
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(jwks=JWKS, jwks_at=now - timedelta(days=1), **tried)
    for path in ("/system/issuers/", page(issuer)):
        assert f"{URL} answers 503." in text(browser.get(path))
    shown = text(browser.get(page(issuer)))
    assert "The keys that came before stay valid until others come." in shown
    assert f"{URL} répond 503." in text(browser.get(page(issuer), headers={"Accept-Language": "fr"}))


def test_failures_of_issuers_that_somebody_trusts_stand_in_the_tab(
    browser: Client, issuer: IdTokenIssuer
) -> None:
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(problem="no", failures=1)
    assert "1 failed" not in text(browser.get("/system/settings/"))
    TrustPolicyFactory(issuer=issuer)
    assert "1 failed" in text(browser.get("/system/settings/"))


def test_it_is_edited(browser: Client, issuer: IdTokenIssuer) -> None:
    assert "Ours" in text(browser.get(page(issuer, "edit")))
    browser.post(page(issuer, "edit"), {"name": "Theirs", "preset": "forgejo", "pasted_jwks": JWKS})
    issuer.refresh_from_db()
    assert (issuer.name, issuer.preset) == ("Theirs", "forgejo")
    assert keys.key_set(issuer)
    assert browser.post(page(issuer, "edit"), {"name": "a" * 81}).status_code == 400


def test_a_form_that_is_no_longer_true_asks_again(browser: Client, issuer: IdTokenIssuer) -> None:
    form = {"name": "Mine", "version": service.version_of(issuer)}
    assert f'value="{form["version"]}"' in text(browser.get(page(issuer, "edit")))
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(name="Theirs")
    response = browser.post(page(issuer, "edit"), form)
    assert response.status_code == 400
    issuer.refresh_from_db()
    assert issuer.name == "Theirs"
    assert f'value="{service.version_of(issuer)}"' in text(response)
    assert (
        browser.post(page(issuer, "edit"), form | {"version": service.version_of(issuer)}).status_code == 302
    )


def test_who_loses_by_it_is_said_before_it_is_disabled(browser: Client, issuer: IdTokenIssuer) -> None:
    for _each in range(2):
        TrustPolicyFactory(issuer=issuer)
    TrustPolicyFactory(issuer=issuer, disabled_at=timezone.now())
    asked = text(browser.get(page(issuer, "disable")))
    assert "2 users trust it" in asked
    issuer.refresh_from_db()
    assert issuer.enabled
    browser.post(page(issuer, "disable"))
    issuer.refresh_from_db()
    assert not issuer.enabled
    assert "disabled" in text(browser.get("/system/issuers/"))
    browser.post(page(issuer, "enable"))
    issuer.refresh_from_db()
    assert issuer.enabled


def test_the_accounts_that_trust_it_are_listed(browser: Client, issuer: IdTokenIssuer) -> None:
    policy = TrustPolicyFactory(issuer=issuer)
    TrustPolicyFactory(issuer=issuer, user=policy.user)
    shown = text(browser.get(page(issuer)))
    assert policy.user.account.name in shown
    assert "Delete this issuer" not in shown
    assert "Users trust it." in text(browser.post(page(issuer, "delete"), follow=True))


def test_one_that_nobody_trusts_is_deleted(browser: Client, issuer: IdTokenIssuer) -> None:
    assert "No user trusts it." in text(browser.get(page(issuer, "disable")))
    assert "Delete Ours?" in text(browser.get(page(issuer, "delete")))
    browser.post(page(issuer, "delete"))
    assert not IdTokenIssuer.objects.filter(pk=issuer.pk).exists()


def test_the_open_page_is_told_when_keys_come(browser: Client, issuer: IdTokenIssuer) -> None:
    browser.post(page(issuer, "fetch"))
    (ask,) = re.findall(r'hx-get="(/system/issuers/\d+/\?live=[^"]+)"', text(browser.get(page(issuer))))
    assert browser.get(ask, headers={"HX-Request": "true"}).status_code == 204
    IdTokenIssuer.objects.filter(pk=issuer.pk).update(
        jwks=JWKS,
        jwks_at=timezone.now(),
        tried_at=timezone.now(),
        next_try_at=timezone.now() + timedelta(hours=1),
    )
    answer = browser.get(ask, headers={"HX-Request": "true"})
    assert "first-key" in text(answer)
    assert "Waiting for the worker" not in text(answer)


def test_the_api_shows_and_changes_the_same(caller: Caller, issuer: IdTokenIssuer) -> None:
    made = caller.post("system/issuers/", {"url": "https://other.example.com", "pasted_jwks": JWKS}).json()
    assert (made["pasted_keys"], made["keys"]) == (True, [{"id": "first-key", "algorithm": "ES256"}])
    assert (made["user_count"], made["problem"], made["keys_fetched_at"]) == (0, "", None)
    listed = [each["url"] for each in caller.get("system/issuers/").json()["results"]]
    assert URL in listed
    one = f"system/issuers/{issuer.pk}/"
    assert caller.post(f"{one}fetch/").json()["next_attempt_at"]
    assert caller.patch(one, {"name": "Theirs", "enabled": False}).json()["name"] == "Theirs"
    assert caller.get(one).json()["enabled"] is False
    assert caller.post(f"{one}fetch/").status_code == 409
    assert caller.delete(one).status_code == 204
    assert caller.get(one).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://x.example.com"}, "url"),
        ({"url": URL, "pasted_jwks": "{"}, "pasted_jwks"),
        ({"url": URL, "preset": "jenkins"}, "preset"),
        ({}, "url"),
    ],
)
def test_the_api_says_which_field_is_wrong(caller: Caller, body: dict[str, Any], field: str) -> None:
    answer = caller.post("system/issuers/", body)
    assert answer.status_code == 400
    assert list(error_of(answer)["fields"]) == [field]


def test_the_api_wants_a_proof_from_a_session(operator: Person, issuer: IdTokenIssuer) -> None:
    client = client_for(operator)
    path = f"/api/v1/system/issuers/{issuer.pk}/"
    assert client.patch(path, {"enabled": False}, content_type="application/json").status_code == 403
    assert client.delete(path).status_code == 403
    new = {"url": "https://other.example.com"}
    assert client.post("/api/v1/system/issuers/", new, content_type="application/json").status_code == 403
    assert client.get(path).status_code == 200
    fresh = just_signed_in(client)
    assert fresh.patch(path, {"enabled": False}, content_type="application/json").status_code == 200
