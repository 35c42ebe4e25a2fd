"""Removing tags and putting them back, and a rule from its dry run to its end, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation, accessible

pytestmark = pytest.mark.e2e


def sign_in(page: Page, installation: Installation, login: str) -> str:
    """The address of the demo's namespace."""
    page.goto(f"{installation.panel}/me/login/")
    page.get_by_label("Email").fill("demo@example.com")
    page.locator("[name=password]").fill(login)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("/login/"))
    page.goto(f"{installation.panel}/")
    page.get_by_role("link", name="shop", exact=True).first.click()
    expect(page).to_have_url(re.compile("/n/shop/$"))
    return page.url


def test_tags_are_removed_and_put_back_with_one_click(
    installation: Installation, page: Page, login: str
) -> None:
    image = sign_in(page, installation, login) + "i/api/"
    page.goto(image)
    accessible(page)
    for tag in ("1.0", "1.1"):
        page.get_by_role("checkbox", name=f"Select {tag}", exact=True).check()
    page.get_by_role("button", name="Remove selected…").click()
    expect(page.get_by_text("2 images will have no tag left")).to_be_visible()
    expect(page.get_by_role("button", name="Delete from the registry")).to_be_disabled()
    accessible(page)
    page.get_by_role("button", name="Remove 2 tags").click()
    # Nobody reloads: the page asks until it is done.
    expect(page.get_by_role("button", name="Restore")).to_have_count(2)
    accessible(page)
    removed = page.url
    page.get_by_role("button", name="Restore").first.click()
    expect(page).not_to_have_url(removed)
    expect(page.get_by_role("status").get_by_text("done", exact=True)).to_be_visible()
    page.get_by_role("link", name="History", exact=True).first.click()
    expect(page.get_by_text("done in the panel")).to_have_count(3)
    accessible(page)
    page.goto(image)
    expect(page.get_by_role("link", name="1.0", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="1.1", exact=True)).to_be_hidden()


def test_a_rule_shows_what_it_would_remove_before_it_does(
    installation: Installation, page: Page, login: str
) -> None:
    page.goto(sign_in(page, installation, login) + "rules/")
    page.locator("[name=image_name]").fill("worker")
    page.get_by_label("Keep the newest").fill("1")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("Tags to remove: 1. Tags to keep: 1")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Turn on").click()
    accessible(page)
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("The rule is running")).to_be_visible()
    expect(page.get_by_text("What was removed")).to_be_visible()
    accessible(page)
    page.get_by_text("What was removed").click()
    expect(page.get_by_text(re.compile("^shop/worker:"))).to_be_visible()


def test_an_image_goes_with_all_in_it_and_comes_back(
    installation: Installation, page: Page, login: str
) -> None:
    namespace = sign_in(page, installation, login)
    page.goto(f"{namespace}i/worker/")
    tags = page.locator("#tags tbody tr").count()
    page.get_by_role("link", name="Delete image…").click()
    expect(page.get_by_role("button", name="Delete image")).to_be_disabled()
    accessible(page)
    page.get_by_label("Type worker to confirm").fill("worker")
    page.get_by_role("button", name="Delete image").click()
    # Nobody reloads: the page asks until it is done.
    expect(page.get_by_role("button", name="Restore all")).to_be_visible()
    accessible(page)
    put_back = page.url
    page.goto(namespace)
    expect(page.get_by_role("link", name="shop/worker", exact=True)).to_be_hidden()
    expect(page.get_by_text("Delete shop/worker and everything in it")).to_be_visible()
    accessible(page)
    page.goto(put_back)
    page.get_by_role("button", name="Restore all").click()
    expect(page.get_by_role("status").get_by_text("restored", exact=True)).to_be_visible()
    page.goto(f"{namespace}i/worker/")
    expect(page.locator("#tags tbody tr")).to_have_count(tags)


def test_images_are_ticked_and_go_and_come_back_as_one(
    installation: Installation, page: Page, login: str
) -> None:
    namespace = sign_in(page, installation, login)
    tick = page.get_by_role("checkbox", name="Select shop/worker", exact=True)
    accessible(page)
    tick.focus()
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="Select all on this page").evaluate("box => box.indeterminate")
    page.get_by_role("searchbox", name="Filter by name").fill("migr")
    expect(page.get_by_text("Also selected, not in this list: 1")).to_be_visible()
    page.get_by_role("checkbox", name="Select shop/team/tools/migrate", exact=True).click(delay=100)
    page.get_by_role("searchbox", name="Filter by name").fill("")
    expect(tick).to_be_checked()
    accessible(page)
    page.get_by_role("button", name="Delete selected…").click()
    expect(page.get_by_role("heading", name="Delete 2 images and everything in them")).to_be_visible()
    expect(page.get_by_role("button", name="Delete images")).to_be_disabled()
    accessible(page)
    page.get_by_label("Type shop to confirm").fill("shop")
    page.get_by_role("button", name="Delete images").click()
    # Nobody reloads: the page asks until it is done.
    expect(page.get_by_role("button", name="Restore all")).to_be_visible()
    accessible(page)
    put_back = page.url
    page.goto(namespace)
    gone = [
        page.get_by_role("link", name=f"shop/{name}", exact=True) for name in ("worker", "team/tools/migrate")
    ]
    for link in gone:
        expect(link).to_be_hidden()
    expect(page.get_by_role("link", name="shop/api", exact=True)).to_be_visible()
    page.goto(put_back)
    page.get_by_role("button", name="Restore all").click()
    expect(page.get_by_role("status").get_by_text("restored", exact=True)).to_be_visible()
    page.goto(namespace)
    for link in gone:
        expect(link).to_be_visible()


def test_all_of_a_page_are_ticked_at_once(installation: Installation, page: Page, login: str) -> None:
    page.goto(sign_in(page, installation, login) + "i/api/")
    every = page.get_by_role("checkbox", name="Select all on this page")
    ticks = page.get_by_role("checkbox", name=re.compile("^Select (?!all)"))
    every.check()
    assert [ticks.nth(number).is_checked() for number in range(ticks.count())] == [True] * ticks.count()
    ticks.first.uncheck()
    assert not every.is_checked()
    assert every.evaluate("box => box.indeterminate")
    page.get_by_role("searchbox", name="Filter by tag or digest").fill("1.")
    page.get_by_role("button", name="Remove all that match…").click()
    expect(page.get_by_role("heading", name=re.compile("that match “1.”"))).to_be_visible()
    accessible(page)
