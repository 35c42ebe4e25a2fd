"""A user without a password: whom it trusts is said by form alone, by keyboard, and from a pasted token."""

import json
import re

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_typing import a_newcomer

pytestmark = pytest.mark.e2e

KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = "https://ci.example.com"


def public_keys() -> str:
    return json.dumps(
        {"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key())) | {"kid": "one"}]}
    )


def user_without_password(page: Page, account: str) -> None:
    page.goto(f"{account}users/new/")
    page.get_by_label("Description").fill("CI deploy")
    page.get_by_label("With ID tokens of CI jobs").check()
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("heading", name="Trust a CI job")).to_be_visible()


def test_a_policy_is_made_and_changed_without_a_script(installation: Installation, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    account = a_newcomer(page, installation, "trusting")
    user_without_password(page, account)
    page.get_by_role("link", name="GitHub Actions").click()
    page.wait_for_load_state()  # with the last of its buttons
    page.get_by_label("Branch or tag").fill("refs/heads/main")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Strangers’ jobs get tokens from this issuer too.")).to_be_visible()
    page.get_by_label("Repository ID").fill("74")
    page.get_by_role("button", name="Add more rows").click()
    expect(page.get_by_label("Claim", exact=True)).to_have_count(5)
    page.wait_for_load_state()
    expect(page.get_by_label("Repository ID")).to_have_value("74")
    page.get_by_label("Claim", exact=True).last.fill("actor_id")
    page.get_by_label("Values", exact=True).last.fill("65")
    page.get_by_label("Note").fill("Release jobs")
    page.get_by_role("button", name="Save").last.click()

    expect(page.get_by_text("This user has no password.")).to_be_visible()
    expect(page.get_by_text("repository_id is 74")).to_be_visible()
    expect(page.get_by_text("actor_id is 65")).to_be_visible()
    expect(page.get_by_text("id-token: write")).to_be_visible()  # in place of how to type a password
    page.get_by_role("link", name="Release jobs").click()
    page.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable trust").click()
    expect(page.get_by_text("Its jobs can no longer sign in.")).to_be_visible()


def test_a_pasted_token_fills_the_form_in(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "pasting")
    user_without_password(page, account)
    accessible(page)
    page.get_by_role("link", name="Another issuer").click()
    page.get_by_role("link", name="Add issuer").click()
    page.get_by_label("URL").fill(ISSUER)
    page.get_by_label("Public keys").fill(public_keys())
    accessible(page)
    page.get_by_role("button", name="Add issuer").click()
    expect(page.get_by_label("Issuer")).to_contain_text(ISSUER)

    page.get_by_role("link", name="CI deploy").click()
    page.get_by_role("link", name="Trust a CI job").click()
    claims = {"iss": ISSUER, "aud": installation.panel, "sub": "job-1", "team": "red", "iat": 1, "exp": 2}
    token = jwt.encode(claims, KEY, "ES256", {"kid": "one"})
    page.get_by_label("ID token of a job").fill(token)
    page.get_by_role("button", name="Read the token").press("Enter")
    expect(page.get_by_text(f"Signed by {ISSUER}.")).to_be_visible()
    expect(page.get_by_text(re.compile("This ID token ended .* days ago."))).to_be_visible()
    assert token.rpartition(".")[2] not in page.content()
    expect(page.get_by_label("Subject")).to_have_value("job-1")
    page.get_by_label("team red").check()
    accessible(page)
    page.get_by_label("Subject").press("Tab")
    page.get_by_label("Note").press("Enter")  # saves, and adds no rows
    expect(page.get_by_text("team is red")).to_be_visible()
    accessible(page)
