"""Pages do what they seem to do.

A list that opens, a password that is not lost by a click, marks that show in forced colours, words that stay whole.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_typing import a_newcomer, create_user

pytestmark = pytest.mark.e2e

BROKEN = """() => {
  const found = [], range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode());) {
    if (node.parentElement.closest("script, style, code, pre, .font-monospace, .visually-hidden, option")) continue;
    for (const {0: word, index} of node.data.matchAll(/[A-Za-z]{2,20}/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].filter(({width}) => width).map(({top}) => Math.round(top)));
      if (lines.size > 1) found.push(word);
    }
  }
  return found;
}"""


def test_a_button_is_seen_when_its_script_hears_it(installation: Installation, page: Page) -> None:
    held: list[Route] = []
    let_go = False

    def hold(route: Route) -> None:
        route.continue_() if let_go else held.append(route)

    page.route("**/panel.*js", hold)
    with page.expect_request("**/panel.*js"):
        page.goto(f"{installation.panel}/me/login/", wait_until="commit")
    button, form = page.locator("[data-theme-toggle]"), page.get_by_role("button", name="Sign in", exact=True)
    expect(form).to_be_visible()
    expect(button).to_be_hidden()
    let_go = True
    for route in held:
        route.continue_()
    button.click()
    expect(button).to_have_accessible_name("Colours: light")


def test_a_namespace_that_is_chosen_opens(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "chooser")
    page.goto(f"{account}namespaces/new/")
    page.get_by_label("Name").fill("chooser-z")
    page.get_by_role("button", name="Create namespace").click()
    expect(page).not_to_have_url(f"{account}namespaces/new/")

    page.goto(f"{account}images/")
    page.get_by_label("Namespace", exact=True).select_option("chooser-z")
    expect(page).to_have_url(f"{account}n/chooser-z/")
    expect(page.get_by_role("heading", name="Permissions")).to_be_visible()
    accessible(page)

    # By keyboard: arrows walk, and Enter opens.
    chooser = page.get_by_label("Namespace", exact=True)
    chooser.focus()
    page.keyboard.press("ArrowUp")
    expect(chooser).to_have_value("chooser-team")
    expect(page).to_have_url(f"{account}n/chooser-z/")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{account}n/chooser-team/")
    page.wait_for_load_state()
    chooser.select_option("")
    expect(page).to_have_url(re.compile(rf"{account}images/"))

    # Back it shows what is open, not what was chosen there.
    page.go_back()
    expect(page).to_have_url(f"{account}n/chooser-team/")
    expect(chooser).to_have_value("chooser-team")


def test_without_a_script_the_button_opens_it(installation: Installation, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    account = a_newcomer(page, installation, "buttoned")
    page.goto(f"{account}images/")
    page.get_by_label("Namespace", exact=True).select_option("buttoned-team")
    page.get_by_role("button", name="Open").click()
    expect(page).to_have_url(f"{account}n/buttoned-team/")
    create_user(page, account, "Laptop")
    expect(page.get_by_text("before you leave this page")).to_be_visible()


def test_a_password_that_nobody_has_saved_is_asked_about(installation: Installation, page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    account = a_newcomer(page, installation, "careful")
    create_user(page, account, "Laptop")
    page.on("dialog", stay)
    page.get_by_role("button", name="Copy the username").click()
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Activity").click(no_wait_after=True)
    expect(page.get_by_role("heading", name="Save the password")).to_be_visible()
    assert asked == ["beforeunload"]
    page.get_by_role("link", name="Download").click()
    page.get_by_role("link", name="Activity").click()
    expect(page).to_have_url(f"{account}activity/")

    create_user(page, account, "Server")
    page.get_by_role("link", name="I have saved it").click()
    expect(page.get_by_role("heading", name="Server")).to_be_visible()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_chosen_shows_in_forced_colours(
    installation: Installation, browser: Browser, scheme: Any
) -> None:
    page = browser.new_context(forced_colors="active", color_scheme=scheme).new_page()
    account = a_newcomer(page, installation, f"forced-{scheme}")
    page.goto(f"{account}users/new/")
    one, other = page.get_by_label("Push from CI"), page.get_by_label("Pull on a server")
    one.check()
    page.get_by_label("Description").focus()
    assert one.screenshot() != other.screenshot()
    tabs = page.locator(".frame-tabs .nav-link")
    lines = [tabs.nth(each).evaluate("tab => getComputedStyle(tab).borderBottomColor") for each in range(4)]
    assert len(set(lines)) == 2
    assert lines.count(lines[1]) == 1  # Users, where we are


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_word_breaks_inside(installation: Installation, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    account = a_newcomer(page, installation, f"words-{width}")
    create_user(page, account, "Continuous deployment of the shop")
    page.goto(f"{account}n/words-{width}-team/permissions/")
    page.get_by_label("User", exact=True).fill("Continuous deployment of the shop")
    page.get_by_role("button", name="Add permission").click()
    expect(page.get_by_text("Permission added.")).to_be_visible()
    inside = [f"n/words-{width}-team/{part}" for part in ("", "permissions/", "settings/", "rules/")]
    for at in ("images/", "users/", "users/new/", "activity/", "settings/", *inside):
        page.goto(account + at)
        assert page.evaluate(BROKEN) == [], at


def test_the_copy_button_stands_beside_the_reference_at_any_width(
    installation: Installation, page: Page
) -> None:
    account = a_newcomer(page, installation, "narrow")
    page.goto(f"{account}n/narrow-team/i/some-service/")
    heading, button = page.locator(".reference h1"), page.locator(".reference .copy")
    for width in range(320, 520, 8):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => innerWidth === width", arg=width)
        beside, copy = heading.bounding_box(), button.bounding_box()
        assert beside, width
        assert copy, width
        assert copy["x"] >= beside["x"] + beside["width"] - 1, width
        assert copy["y"] < beside["y"] + beside["height"], width
        assert copy["x"] + copy["width"] <= width, width


def test_an_error_stays_in_the_panel_that_it_is_about(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "beside")
    page.goto(f"{account}users/new/")
    panel, where = page.locator("#effect"), page.get_by_role("combobox", name="Where")
    where.fill("beside-team")
    expect(panel).to_contain_text("beside-team until")
    page.route("**/users/new/preview/**", lambda route: route.fulfill(status=503, body="<h1>Later</h1>"))
    where.fill("beside-team/api")
    expect(panel).to_contain_text("could not be checked")
    expect(where).to_be_focused()
    expect(page.locator("#trouble")).to_be_hidden()
    page.unroute("**/users/new/preview/**")
    where.fill("beside-team/web")
    expect(panel).to_contain_text("beside-team/web until")

    page.context.clear_cookies()  # signed out elsewhere: the page of signing in is no part of this one
    where.fill("beside-team/api")
    expect(page).to_have_url(re.compile("/me/login/"))


def test_paper_has_what_the_page_says_and_nothing_to_press(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "paper")
    create_user(page, account, "Laptop")
    page.goto(f"{account}users/")
    page.get_by_role("link", name="Laptop").click()
    page.wait_for_load_state()
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print")
    for hidden in ("header", ".frame-tabs", "footer", "main .btn", "main input", ".copy"):
        assert page.locator(f"{hidden}:visible").count() == 0, hidden
    expect(page.get_by_role("heading", name="Laptop")).to_be_visible()
    page.goto(f"{account}users/")
    row = page.get_by_role("row").filter(has_text="Laptop")
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
    expires = row.locator("time[title]").first
    said = "time => getComputedStyle(time, '::after').content.slice(1, -1)"
    assert expires.evaluate(said) == expires.get_attribute("title")
