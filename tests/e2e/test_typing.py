"""What a page does while somebody types, and what it must not do: move, lose the focus, or need a script."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_story import PASSWORD

pytestmark = pytest.mark.e2e

# Two frames: whatever the answer that has just come was to do is done.
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_the_form_says_what_the_user_would_be_able_to_do(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "typing")
    page.goto(f"{account}users/new/")
    page.get_by_label("Description").fill("CI deploy")
    page.get_by_label("Push from CI").check()
    page.get_by_role("combobox", name="Where").fill("typing-team/api")
    expect(page.locator("#effect")).to_contain_text(
        re.compile(r"Can pull and push typing-team/api until .+ Nothing else")
    )
    expect(page.get_by_role("combobox", name="Where")).to_be_focused()
    accessible(page)
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("heading", name="Save the password")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_text("Podman", exact=True).click()
    expect(page.get_by_text("podman push --tls-verify=false")).to_be_visible()
    expect(page.get_by_text("docker tag nginx")).to_be_hidden()
    accessible(page)
    page.get_by_role("link", name="I have saved it").click()
    page.goto(f"{account}users/")
    expect(page.get_by_text("write on typing-team/api")).to_be_visible()


def test_the_list_follows_what_is_typed(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "filter")
    for name in ("Laptop", "Server"):
        create_user(page, account, name)
    page.goto(f"{account}users/")
    page.get_by_placeholder("Description or username").press_sequentially("lap")
    expect(page.get_by_role("link", name="Server")).to_be_hidden()
    expect(page.get_by_role("link", name="Laptop")).to_be_visible()
    expect(page.get_by_placeholder("Description or username")).to_be_focused()
    expect(page).to_have_url(f"{account}users/?q=lap")  # and no order that was not chosen


def test_a_user_is_suggested_as_one_types(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "suggest")
    for name in ("Laptop", "Laptop of a colleague", "Server"):
        create_user(page, account, name)
    page.goto(f"{account}n/suggest-team/permissions/")
    field, options = page.get_by_role("combobox", name="User"), page.get_by_role("option", name="Laptop")
    type_all(page, field, "lap")
    expect(options).to_have_count(2)
    expect(field).to_have_attribute("aria-expanded", "true")
    accessible(page)
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    accessible(page)
    field.press("Enter")
    expect(field).to_have_value(re.compile(r"Laptop of a colleague \([a-z0-9]{12}\)"))
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("Enter")
    expect(page.get_by_text("Permission added.")).to_be_visible()

    # By pointer; Escape closes the list and leaves what was typed.
    page.goto(f"{account}n/suggest-team/permissions/")
    type_all(page, field, "nobody")
    nothing = page.locator("[data-said]")
    expect(nothing).to_have_text("No user matches.")
    field.press("Escape")
    expect(nothing).to_be_hidden()
    expect(field).to_have_value("nobody")
    # Nor does an answer open it that was under way.
    held: list[Route] = []
    page.route(re.compile("=nobody2$"), lambda route: None if held else held.append(route))
    with page.expect_request(re.compile("=nobody2$")):
        field.press("2")
    field.press("Escape")
    with page.expect_response(re.compile("=nobody2$")) as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate(SETTLED)
    expect(nothing).to_be_hidden()
    page.unroute_all()
    field.fill("")
    page.get_by_role("option", name="Server").click()
    expect(field).to_have_value(re.compile("^Server "))
    expect(field).to_be_focused()

    # A new user with the permissions of another: what is taken is told at once.
    page.goto(f"{account}users/new/")
    page.get_by_role("combobox", name="Same permissions as").press_sequentially("colleague")
    page.get_by_role("option", name="Laptop of a colleague").click()
    expect(page.locator("#effect")).to_contain_text("what Laptop of a colleague may do")


def test_what_is_chosen_while_an_answer_is_under_way_is_told(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "meanwhile")
    page.goto(f"{account}users/new/")
    held: list[Route] = []
    page.route("**/users/new/preview/?*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/users/new/preview/?*"):
        page.get_by_label("Push from CI").check()
    effect = page.locator("#effect")
    page.get_by_role("combobox", name="Where").fill("meanwhile-team/api")
    page.evaluate("htmx.trigger('#effect', 'ask')")
    held[0].continue_()
    expect(effect).to_contain_text("meanwhile-team/api")


def test_all_of_it_without_a_script(installation: Installation, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    account = a_newcomer(page, installation, "plain")
    create_user(page, account, "Laptop")
    page.goto(f"{account}users/")
    page.get_by_placeholder("Description or username").fill("nobody")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_text("Nothing matches “nobody”")).to_be_visible()
    page.goto(f"{account}n/plain-team/permissions/")
    page.get_by_label("User", exact=True).fill("laptop")
    page.get_by_role("button", name="Add permission").click()
    expect(page.get_by_text("Permission added.")).to_be_visible()


def type_all(page: Page, field: Locator, text: str) -> None:
    """Return once the list is that of the whole text: it comes from the first letter on, and begins anew each time."""
    with page.expect_response(re.compile(rf"={text}$")) as answer:
        field.press_sequentially(text)
    answer.value.finished()
    page.evaluate(SETTLED)


def a_newcomer(page: Page, installation: Installation, name: str) -> str:
    """Signed up, with an account and a namespace of their own; the address of the account."""
    page.goto(f"{installation.panel}/me/signup/")
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).not_to_have_url(re.compile("/signup/"))
    page.goto(f"{installation.panel}/accounts/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create account").click()
    account = f"{installation.panel}/a/{name}/"
    expect(page).to_have_url(re.compile(f"^{account}"))
    page.goto(f"{account}namespaces/new/")
    page.get_by_label("Name").fill(f"{name}-team")
    page.get_by_role("button", name="Create namespace").click()
    expect(page).not_to_have_url(re.compile("/namespaces/new/"))
    return account


def create_user(page: Page, account: str, description: str) -> None:
    page.goto(f"{account}users/new/")
    page.get_by_label("Description").fill(description)
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("heading", name="Save the password")).to_be_visible()
    page.wait_for_load_state()  # whoever leaves is asked by a script
