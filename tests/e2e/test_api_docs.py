"""The API docs in a real browser: small, legible in all colours and widths, and there without a script."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.e2e
PASSWORD = "tall ships and 9 harbours"


def test_the_docs_are_small_legible_and_linked(
    installation: Installation, page: Page, browser: Browser
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_up(page, installation)
    network, octets = page.context.new_cdp_session(page), []
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    network.on("Network.loadingFinished", lambda event: octets.append(event["encodedDataLength"]))
    page.goto(f"{installation.panel}/api/v1/docs/", wait_until="networkidle")
    assert 1_000 < sum(octets) < 150_000
    expect(page.get_by_role("heading", name=re.compile("REST API"))).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="users_create").click()
    expect(page).to_have_url(re.compile("#users_create$"))
    expect(
        page.get_by_role("heading", name="POST /api/v1/accounts/{handle}/users/ users_create")
    ).to_be_in_viewport()
    for colours in ("light", "dark"):
        for width in (1280, 390):
            page.emulate_media(color_scheme=colours)
            page.set_viewport_size({"width": width, "height": 900})
            page.reload()
            violations = Axe().run(page).response["violations"]
            assert violations == [], [(each["id"], each["nodes"][0]["html"]) for each in violations]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    without = plain.new_page()
    without.goto(f"{installation.panel}/api/v1/docs/#users_create")
    expect(without.locator("#users_create")).to_be_in_viewport()
    plain.close()


def sign_up(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/signup/")
    page.get_by_label("Email").fill("docs@example.com")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).not_to_have_url(re.compile("/signup/"))
