"""Who can do what, in a browser: by keyboard, on a phone, without a script, and from a denial to a permission."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_typing import a_newcomer, create_user

pytestmark = pytest.mark.e2e

SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"


def test_from_no_to_yes(installation: Installation, page: Page) -> None:
    account = a_newcomer(page, installation, "asking")
    create_user(page, account, "CI deploy")
    page.goto(f"{account}images/")
    page.get_by_role("link", name="Access").click()
    expect(page.get_by_role("region", name="Users by namespaces")).to_contain_text("CI deploy")
    accessible(page)

    page.get_by_role("link", name="Check access").click()
    page.wait_for_load_state()  # with it, its scripts
    user = page.get_by_role("combobox", name="User")
    user.press_sequentially("ci")
    page.get_by_role("option", name="CI deploy").click()
    page.get_by_label("Action").select_option("push")
    page.get_by_label("Image", exact=True).fill("docker push localhost/asking-team/api:1.0")
    page.get_by_role("button", name="Check access").click()
    expect(page.get_by_role("status").filter(has_text="No.")).to_contain_text("may not push asking-team/api.")
    accessible(page)

    page.get_by_role("link", name="Allow…").click()
    expect(page.locator("#effect")).to_contain_text("CI deploy can pull and push asking-team/api until")
    page.wait_for_load_state()
    page.get_by_label("Level").select_option("admin")
    expect(page.locator("#effect")).to_contain_text("pull, push and delete asking-team/api until")
    accessible(page)
    page.get_by_role("button", name="Give this permission").click()
    expect(page.get_by_role("status").filter(has_text="Yes.")).to_contain_text("may push asking-team/api.")
    accessible(page)

    page.get_by_role("link", name="Who may do this").click()
    expect(page.get_by_role("heading", name="Who may push asking-team/api")).to_be_visible()
    expect(page.get_by_role("row", name="CI deploy")).to_contain_text("admin on the image")
    accessible(page)

    page.goto(f"{account}access/")
    cell = page.get_by_role("row", name="CI deploy").get_by_role("link", name="+1 image: admin")
    expect(cell).to_be_visible()
    page.get_by_role("link", name="Images of asking-team").click()
    expect(page.get_by_role("region", name="Images of asking-team")).to_contain_text("admin")
    accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_matrix_scrolls_in_its_own_region(
    installation: Installation, browser: Browser, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    account = a_newcomer(page, installation, f"wide-{scheme}")
    for name in ("one", "two", "three", "four"):
        page.goto(f"{account}namespaces/new/")
        page.get_by_label("Name").fill(f"wide-{scheme}-{name}-of-the-namespaces")
        page.get_by_role("button", name="Create namespace").click()
        expect(page).not_to_have_url(f"{account}namespaces/new/")
    create_user(page, account, "Continuous deployment of the shop")
    page.goto(f"{account}access/")
    assert page.evaluate(SIDEWAYS) <= 0
    region = page.get_by_role("region", name="Users by namespaces")
    region.focus()
    who = page.get_by_role("rowheader", name="Continuous deployment")
    before = who.bounding_box()
    for _press in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.matrix-scroll').scrollLeft > 0")
    after = who.bounding_box()
    assert before
    assert after
    assert after["x"] == before["x"]  # the users stay where they are
    accessible(page)
    context.close()


def test_without_a_script(installation: Installation, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    account = a_newcomer(page, installation, "scriptless")
    create_user(page, account, "Laptop")
    page.goto(f"{account}access/check/")
    page.get_by_role("combobox", name="User").fill("laptop")
    page.get_by_label("Image", exact=True).fill("scriptless-team/api")
    page.get_by_role("button", name="Check access").click()
    expect(page.get_by_text("may not pull scriptless-team/api.")).to_be_visible()
    page.get_by_role("link", name="Allow…").click()
    page.get_by_role("button", name="Give this permission").click()
    expect(page.get_by_text("may pull scriptless-team/api.")).to_be_visible()
    page.goto(f"{account}access/")
    page.get_by_label("User", exact=True).fill("nobody")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_text("Nothing matches this filter.")).to_be_visible()
