"""What ends access asks first: in a dialog where the page is, and without JavaScript on a page of its own."""

import re

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation, accessible, load_until
from tests.e2e.test_press import shown
from tests.e2e.test_removal import sign_in
from tests.parts import processes

pytestmark = pytest.mark.e2e
ACCOUNT = "/a/harbour-street/"
# (page, what is pressed on it, how the question begins)
OTHERS = [
    (f"{ACCOUNT}n/shop/permissions/", "Remove Demo push from shop", "Remove write on shop from Demo push?"),
    (f"{ACCOUNT}n/tools/settings/", "Make private", "Make tools private?"),
    (f"{ACCOUNT}settings/", "Withdraw the invitation as viewer", "Withdraw the invitation as viewer?"),
    ("/me/tokens/", "Revoke Backup", "Revoke Backup?"),
]


@pytest.fixture
def signed_in(installation: Installation, page: Page, login: str) -> Page:
    sign_in(page, installation, login)
    return page


def test_a_password_is_replaced_when_the_question_was_answered(
    installation: Installation, signed_in: Page
) -> None:
    page = signed_in
    username, password = a_user(installation, page, "Replaced")
    assert may_sign_in(installation, username, password)
    load_until(page, f"{installation.panel}{ACCOUNT}users/{username}/", "python-requests/")
    replace = page.get_by_role("link", name="Replace password")
    replace.dblclick()
    question = page.get_by_role("dialog", name="Replace the password of Replaced?")
    expect(question).to_contain_text(
        re.compile(r"Replaced was used .+ by python-requests/\S+ from 127\.0\.0\.1")
    )
    expect(question).to_contain_text("the next login with it fails")
    expect(question.get_by_role("link", name="Cancel")).to_be_focused()
    accessible(page)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(replace).to_be_focused()
    page.keyboard.press("Enter")
    question.get_by_role("link", name="Cancel").click()
    expect(question).to_be_hidden()
    assert may_sign_in(installation, username, password)

    page.keyboard.press("Enter")
    expect(question).to_be_visible()
    question.get_by_role("button", name="Replace password").click()
    expect(page.get_by_role("heading", name="Save the password")).to_be_visible()
    assert not may_sign_in(installation, username, password)


@pytest.mark.parametrize("script", [True, False])
def test_each_of_them_asks(installation: Installation, browser: Browser, login: str, *, script: bool) -> None:
    page = browser.new_context(java_script_enabled=script, viewport={"width": 390, "height": 844}).new_page()
    sign_in(page, installation, login)
    invite_and_make_a_token(installation, page)
    for path, press, asked in OTHERS:
        page.goto(installation.panel + path)
        page.get_by_role("link", name=press).first.click()
        expect(page.get_by_role("heading", name=asked)).to_be_visible()
        if script:
            expect(page).to_have_url(installation.panel + path)
            accessible(page)
        page.get_by_role("link", name="Cancel").click()
        expect(page).to_have_url(installation.panel + path)
        expect(page.get_by_role("heading", name=asked)).to_be_hidden()
    page.get_by_role("link", name="Revoke Backup").first.click()
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text("Revoked Backup.")).to_be_visible()
    page.context.close()


def test_on_a_phone_permissions_come_before_what_ends_them(
    installation: Installation, browser: Browser, login: str
) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    sign_in(page, installation, login)
    page.goto(f"{installation.panel}{ACCOUNT}users/")
    page.get_by_role("link", name="Demo push", exact=True).click()
    page.wait_for_load_state()
    tops = [
        page.get_by_role("heading", name=name, exact=True).bounding_box()
        for name in (
            "What this user can do",
            "Denied requests",
            "Did a password leak?",
            "Disable",
            "Delete user",
        )
    ]
    heights = [box["y"] for box in tops if box]
    assert heights == sorted(heights)
    assert len(heights) == len(tops)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    accessible(page)
    page.context.close()


def a_user(installation: Installation, page: Page, description: str) -> tuple[str, str]:
    page.goto(f"{installation.panel}{ACCOUNT}users/new/")
    page.get_by_label("Description").fill(description)
    page.get_by_role("button", name="Create user").click()
    return shown(page)


def may_sign_in(installation: Installation, username: str, password: str) -> bool:
    answer = requests.get(
        f"http://localhost:{installation.environment['TOKEN_PORT']}/auth/token",
        params={"service": installation.registry},
        auth=(username, password),
        timeout=processes.PATIENCE,
    )
    return answer.status_code == 200


def invite_and_make_a_token(installation: Installation, page: Page) -> None:
    page.goto(f"{installation.panel}{ACCOUNT}settings/")
    page.get_by_role("button", name="Create link").click()
    expect(page.locator("[data-once]")).to_be_visible()
    page.goto(f"{installation.panel}/me/tokens/")
    page.get_by_label("Name").fill("Backup")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("rma_").first).to_be_visible()
