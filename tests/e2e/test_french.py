"""French words are longer: no page of the demo is wider than a phone for that, and each is as accessible."""

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Installation, accessible

pytestmark = pytest.mark.e2e

PHONE = 390
ACCOUNT = "/a/harbour-street/"
PAGES = [
    "/?all=1", "/accounts/new/", "/search/?q=app", "/me/tokens/", "/me/email/", "/me/sessions/", "/me/password/change/",
    "/me/security-events/", "/me/2fa/",
    "/none/", *(ACCOUNT + page for page in (
        "images/", "users/", "users/new/", "activity/", "settings/", "usage/", "namespaces/new/", "n/shop/",
        "n/shop/permissions/", "n/shop/rules/", "n/shop/settings/", "n/shop/delete-all/", "n/shop/i/web/",
        "n/shop/i/web/-/access/", "n/shop/i/web/-/history/", "n/shop/i/web/-/tags/latest/",
        "n/shop/i/web/-/delete-preview/", "n/shop/i/web/-/compare/",
    ))]  # fmt: skip
# Wider than the screen, or in a box that is cut without a way to scroll to it.
TOO_WIDE = """() => {
  const wide = [], screen = document.documentElement;
  if (screen.scrollWidth > screen.clientWidth) wide.push(`page ${screen.scrollWidth}`);
  for (const box of document.querySelectorAll("main *, footer *, header *")) {
    if (box.closest("thead, .visually-hidden, pre, svg, select, dialog, summary, .menu-list")) continue;
    const style = getComputedStyle(box);
    if (style.overflowX !== "visible" || style.display === "inline") continue;
    if (box.clientWidth && box.scrollWidth > box.clientWidth + 1) wide.push(box.outerHTML.slice(0, 90));
  }
  return wide;
}"""


@pytest.fixture(scope="module")
def phone(browser: Browser, installation: Installation, login: str) -> Page:
    page = browser.new_context(locale="fr-FR", viewport={"width": PHONE, "height": 900}).new_page()
    page.goto(f"{installation.panel}/me/login/")
    page.locator("[name=login]").fill("demo@example.com")
    page.locator("[name=password]").fill(login)
    page.get_by_role("button", name="Se connecter", exact=True).click()
    page.wait_for_url(re.compile("^(?!.*login)"))
    return page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(phone: Page, installation: Installation, path: str) -> None:
    phone.goto(installation.panel + path)
    assert phone.locator("html").get_attribute("lang") == "fr"
    assert phone.evaluate(TOO_WIDE) == []
    accessible(phone)


def test_tabs_show_where_we_are(phone: Page, installation: Installation) -> None:
    phone.goto(f"{installation.panel}{ACCOUNT}settings/")
    box = phone.locator(".frame-tabs [aria-current]").bounding_box()
    assert box
    assert box["x"] + box["width"] <= PHONE
