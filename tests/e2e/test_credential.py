"""A new password in a browser: it proves itself, comes as a file that clients take, and is ended when it leaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation
from tests.parts.clients import Client, ClientError

pytestmark = [pytest.mark.e2e, pytest.mark.clients]
ACCOUNT = "/a/harbour-street/"


@pytest.fixture
def signed_in(browser: Browser, installation: Installation, login: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{installation.panel}/me/login/")
    page.get_by_label("Email").fill("demo@example.com")
    page.locator("[name=password]").fill(login)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Activity", exact=True)).to_be_visible()
    yield page
    context.close()


def test_it_is_tried_taken_and_ended(
    signed_in: Page, installation: Installation, skopeo: Client, tmp_path: Path
) -> None:
    page, panel = signed_in, installation.panel
    page.goto(f"{panel}{ACCOUNT}users/")
    page.get_by_role("link", name="Production servers", exact=True).click()
    page.get_by_role("link", name="Rotate password").click()
    page.get_by_role("button", name="Create second password").click()
    expect(page.get_by_text("The old one still works")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="Test it").click()
    steps = page.locator("#credential-test li")
    expect(page.get_by_role("button", name="Test again")).to_be_visible()
    assert steps.count() >= 4
    assert steps.filter(has_text="works").count() == steps.count()
    expect(page.locator("#first-use")).to_contain_text("registry-manager-test")

    with page.expect_download() as download:
        page.get_by_role("button", name="config.json for docker").click()
    config = tmp_path / "config.json"
    download.value.save_as(config)

    def tags() -> str:
        target = f"docker://{installation.registry}/shop/search"
        return skopeo("list-tags", "--authfile", config, target).stdout

    assert '"0.2"' in tags()
    expect(page.locator("#first-use")).to_contain_text("skopeo")

    page.goto(f"{panel}{ACCOUNT}users/")
    page.get_by_role("link", name="Found a password?").click()
    page.get_by_role("textbox", name="What was found").fill(config.read_text())
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("cell", name="Production servers")).to_be_visible()
    page.get_by_role("button", name="End now: rmp_").click()
    expect(page.get_by_text("Ended. Logins with it fail from now on")).to_be_visible()
    with pytest.raises(ClientError):
        tags()
