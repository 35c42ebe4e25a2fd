"""The browsable API docs: drawn and usable in a real browser under the panel's own strict policy."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.e2e
PASSWORD = "tall ships and 9 harbours"


def test_the_docs_are_drawn_and_try_out_writes_with_the_session(
    installation: Installation, page: Page
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_up(page, installation)
    page.goto(f"{installation.panel}/api/v1/docs/")
    expect(page.get_by_role("heading", name=re.compile("Registry Manager"))).to_be_visible()
    expect(page.locator("#operations-users-users_create")).to_be_visible()
    operation = page.locator("#operations-accounts-accounts_open")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("textarea").fill('{"name": "From the docs"}')
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response-col_status").last
    expect(answer).to_contain_text("201")
    assert complaints == []


def sign_up(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/signup/")
    page.get_by_label("Email").fill("docs@example.com")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).not_to_have_url(re.compile("/signup/"))
