"""Passkeys and authenticator apps in a real browser, under our Content-Security-Policy; Chromium plays the device."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.django.accounts.second_factors import factors
from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_typing import PASSWORD, a_newcomer

pytestmark = pytest.mark.e2e
# A telephone or a laptop that knows its owner by fingerprint, and always finds the finger.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """What the browser complains of: a script that the policy stops is there."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield said
    assert said == []


def device(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return session


def sign_out(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page).not_to_have_url(re.compile("/logout/"))
    page.goto(f"{installation.panel}/me/login/")


def expect_signed_in(page: Page, name: str) -> None:
    expect(page.locator("summary", has_text=f"Signed in as {name}@example.com")).to_have_count(1)


def give_password(page: Page, name: str) -> None:
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    accessible(page)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add passkey").click()


def test_a_passkey_signs_in_without_a_password(installation: Installation, page: Page, errors: Any) -> None:
    a_newcomer(page, installation, "passkey")
    device(page)
    add_passkey(page, installation)
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    accessible(page)
    assert len(re.findall(r"\d{4} \d{4}", page.locator("#codes").inner_text())) == 10
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_text("Laptop")).to_be_visible()
    accessible(page)
    expect(page.get_by_text("10 codes left")).to_be_visible()
    page.goto(f"{installation.panel}/me/2fa/recovery-codes/")
    assert not re.search(r"\d{4} \d{4}", page.locator("main").inner_text())

    sign_out(page, installation)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect_signed_in(page, "passkey")


def test_an_app_or_a_passkey_after_the_password(installation: Installation, page: Page, errors: Any) -> None:
    a_newcomer(page, installation, "app")
    page.goto(f"{installation.panel}/me/2fa/")
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("#totp-key").inner_text()
    accessible(page)
    assert page.locator("img.qr").evaluate("image => image.complete && image.naturalWidth > 0")
    page.get_by_label("Code").fill(factors.code(secret))
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("link", name="I have saved them").click()
    device(page)
    add_passkey(page, installation)
    expect(page.get_by_text("The passkey was added.")).to_be_visible()

    sign_out(page, installation)
    give_password(page, "app")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    accessible(page)
    page.get_by_label("Code").fill(factors.wrong_code(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is wrong, or was used already.")).to_be_visible()
    page.get_by_label("Code").fill(factors.code(secret, later=1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect_signed_in(page, "app")

    sign_out(page, installation)
    give_password(page, "app")
    page.get_by_role("button", name="Use a passkey").click()
    expect_signed_in(page, "app")


def test_where_no_passkey_is_found_a_sentence_says_so(
    installation: Installation, page: Page, errors: Any
) -> None:
    page.goto(f"{installation.panel}/me/login/")
    device(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    accessible(page)


def test_a_passkey_confirms_that_it_is_the_person(
    installation: Installation, page: Page, errors: Any
) -> None:
    a_newcomer(page, installation, "confirming")
    device(page)
    add_passkey(page, installation)
    page.goto(f"{installation.panel}/me/2fa/webauthn/reauthenticate/?next=/me/2fa/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()


def test_without_javascript_no_button_is_shown_that_does_nothing(
    installation: Installation, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{installation.panel}/me/login/")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    context.close()
