"""The zone of whoever looks: their browser's. Exact times by touch, by keyboard and without a script; days stay."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_removal import sign_in

pytestmark = pytest.mark.e2e
DEMO = "/a/harbour-street/"
# The zone, what Chromium calls it, and what stands behind a time of it.
ZONES = [
    ("Pacific/Kiritimati", "Pacific/Kiritimati", r"UTC\+14"),
    ("America/Los_Angeles", "America/Los_Angeles", "P[SD]T"),
    ("Asia/Kolkata", "Asia/Calcutta", "IST"),
]
CLOCK = r"\d\d:\d\d:\d\d"


@pytest.mark.parametrize(("zone", "called", "letters"), ZONES)
def test_times_are_those_of_the_browser(
    installation: Installation, browser: Browser, login: str, zone: str, called: str, letters: str
) -> None:
    page = browser.new_context(
        timezone_id=zone, has_touch=True, viewport={"width": 390, "height": 844}
    ).new_page()
    sign_in(page, installation, login)
    exact = re.compile(rf"\d+ \w+ \d{{4}}, {CLOCK} {letters} · (\d+ \w+ \d{{4}}, )?{CLOCK} UTC$")
    page.goto(f"{installation.panel}{DEMO}n/shop/i/api/")
    expect(page.get_by_role("contentinfo")).to_contain_text(f"Times in {called}")
    time = page.locator("tbody time").first
    expect(time).to_have_attribute("title", exact)
    # As the browser itself writes it: the day there, whatever it is in UTC.
    there = time.evaluate(
        "(each) => new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium'}).format(new Date(each.dateTime))"
    )
    expect(time).to_have_attribute("title", re.compile(f"^{there.replace('Sept', 'Sep')}, "))

    ago = time.text_content()
    time.tap()
    expect(time).to_have_text(exact)
    accessible(page)
    time.tap()
    expect(time).to_have_text(re.compile(r"ago$|^\d"))
    assert ago

    a_day_stays(installation, page)
    page.context.close()


def a_day_stays(installation: Installation, page: Page) -> None:
    page.goto(f"{installation.panel}{DEMO}users/new/")
    page.get_by_label("Description").fill("Until a day")
    page.get_by_label("Expires").select_option("date")
    page.get_by_label("Last day").fill("2099-05-05")
    page.get_by_role("button", name="Create user").click()
    expect(page.locator("main")).to_contain_text("5 May 2099 UTC")


def test_the_keyboard_switches_all_times(installation: Installation, page: Page, login: str) -> None:
    sign_in(page, installation, login)
    here = f"{installation.panel}{DEMO}n/shop/i/api/"
    page.goto(here)
    switch_exact(page, here)
    accessible(page)
    page.get_by_role("button", name="Show how long ago").press("Enter")
    expect(page.locator("tbody time").first).to_have_text(re.compile("ago$"))


def test_without_a_script_they_are_in_utc_and_can_be_exact(
    installation: Installation, browser: Browser, login: str
) -> None:
    context = browser.new_context(java_script_enabled=False, timezone_id="Asia/Kolkata")
    page = context.new_page()
    sign_in(page, installation, login)
    here = f"{installation.panel}{DEMO}n/shop/i/api/"
    page.goto(here)
    expect(page.get_by_role("contentinfo")).to_contain_text("Times in UTC")
    switch_exact(page, here)
    context.close()


def switch_exact(page: Page, here: str) -> None:
    page.get_by_role("button", name="Show exact times").press("Enter")
    expect(page).to_have_url(here)
    expect(page.locator("tbody time").first).to_have_text(re.compile(rf"{CLOCK} \S+"))
