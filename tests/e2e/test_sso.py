"""People sign in at a real OpenID Connect provider, in a browser, under our policy; their groups give them roles."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Installation, accessible, standalone
from tests.parts import oidc_provider, processes
from tests.parts.fixtures import need
from tests.parts.oidc_provider import RunningProvider

pytestmark = pytest.mark.e2e
PASSWORD = "tall ships and 9 harbours"
BUTTON = "Sign in with Example ID"


@dataclass(frozen=True)
class World:
    panel: str
    provider: RunningProvider
    operator: Page


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[World]:
    """An operator has opened the account Harbour, and given the group `dev` the role manager in it."""
    need("node", "oidc-provider")
    folder, port = tmp_path_factory.mktemp("sso"), processes.free_port()
    with standalone(folder, oidc_provider.environment(port)) as installation:
        callback = f"{installation.panel}/me/oidc/sso/login/callback/"
        with oidc_provider.running(folder, redirect_uri=callback, port=port) as provider:
            page = browser.new_page()
            begin(page, installation)
            yield World(installation.panel, provider, page)


def begin(page: Page, installation: Installation) -> None:
    page.goto(installation.operator_link)
    page.get_by_role("link", name="Sign up").last.click()
    page.get_by_label("Email").fill("operator@example.com")
    for name in ("password1", "password2"):
        page.locator(f"[name={name}]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Become the operator").click()
    expect(page).not_to_have_url(re.compile("/bootstrap/"))
    page.goto(f"{installation.panel}/accounts/new/")
    page.get_by_label("Name").fill("Harbour")
    page.locator("main form").first.get_by_role("button").click()
    expect(page).not_to_have_url(re.compile("/accounts/new/"))
    page.goto(f"{installation.panel}/system/groups/")
    accessible(page)
    shot(page, "groups-empty")
    page.get_by_label("Group", exact=True).fill("dev")
    page.get_by_label("Handle of the account").fill("harbour")
    page.get_by_label("Role", exact=True).select_option("manager")
    page.get_by_role("button", name="Add group").click()
    expect(page.get_by_text("Whoever is in dev joins Harbour")).to_be_visible()
    shot(page, "groups")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def go_there(page: Page, world: World) -> None:
    page.goto(f"{world.panel}/me/login/")
    page.get_by_role("button", name=BUTTON).click()


def sign_in_there(page: Page, subject: str) -> None:
    """At the provider's own page."""
    page.get_by_placeholder("Enter any login").fill(subject)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def back(page: Page, world: World) -> None:
    """Wait until the person is in the panel, signed in."""
    page.wait_for_url(re.compile(re.escape(world.panel) + r"/(?!me/)"))


def sign_out(page: Page, world: World) -> None:
    page.goto(f"{world.panel}/me/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page).not_to_have_url(re.compile("/logout/"))


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("TEST_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_group_gives_a_role_and_leaving_it_ends_it(world: World, page: Page) -> None:
    ann = {"email": "ann@example.com", "email_verified": True, "name": "Ann"}
    world.provider.person("ann", **ann, groups=["dev"])
    page.goto(f"{world.panel}/me/login/")
    accessible(page)
    shot(page, "login")
    page.get_by_role("button", name=BUTTON).click()
    sign_in_there(page, "ann")
    page.wait_for_url(f"{world.panel}/a/harbour/**")
    page.goto(f"{world.panel}/a/harbour/settings/")
    shot(page, "member-by-group")
    expect(page.locator("main")).to_contain_text("manager")
    page.goto(f"{world.panel}/me/sso/")
    expect(page.locator("main")).to_contain_text("dev")
    accessible(page)
    shot(page, "sso")

    world.provider.person("ann", **ann, groups=[])
    sign_out(page, world)
    go_there(page, world)  # who asks nothing: the person is still signed in there
    back(page, world)
    answer = page.goto(f"{world.panel}/a/harbour/")
    assert answer
    assert answer.status == 404


def test_a_local_person_links(world: World, page: Page) -> None:
    page.goto(f"{world.panel}/me/signup/")
    page.get_by_label("Email").fill("bob@example.com")
    for name in ("password1", "password2"):
        page.locator(f"[name={name}]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).not_to_have_url(re.compile("/signup/"))
    sign_out(page, world)

    world.provider.person("bob", email="bob@example.com", email_verified=True)
    go_there(page, world)
    sign_in_there(page, "bob")
    expect(page.get_by_role("heading", name="Link your sign-in")).to_be_visible()
    accessible(page)
    shot(page, "link")
    page.get_by_role("link", name="Sign in as before").click()
    page.get_by_label("Email").fill("bob@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in with Example ID from now on?")).to_be_visible()
    accessible(page)
    shot(page, "question")
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_text("You can sign in with Example ID now.")).to_be_visible()

    sign_out(page, world)
    go_there(page, world)
    back(page, world)
    page.goto(f"{world.panel}/me/sso/")
    expect(page.locator("main")).to_contain_text("bob@example.com")


def test_who_has_no_password_confirms_at_the_provider(world: World, page: Page) -> None:
    world.provider.person("eve", email="eve@example.com", email_verified=True)
    go_there(page, world)
    sign_in_there(page, "eve")
    back(page, world)
    page.goto(f"{world.panel}/me/2fa/totp/activate/")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    accessible(page)
    shot(page, "confirm")
    page.get_by_role("button", name="Sign in again with Example ID").click()
    sign_in_there(page, "eve")
    expect(page).to_have_url(f"{world.panel}/me/2fa/totp/activate/")


def test_without_a_script(world: World, browser: Browser) -> None:
    world.provider.person("joe", email="joe@example.com", email_verified=True)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    go_there(page, world)
    sign_in_there(page, "joe")
    back(page, world)
    page.goto(f"{world.panel}/me/sso/")
    expect(page.locator("main")).to_contain_text("joe@example.com")
    context.close()


def test_who_turns_back_at_the_provider(world: World, page: Page) -> None:
    go_there(page, world)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_text("You did not sign in at Example ID")).to_be_visible()
    accessible(page)
    shot(page, "refused")


def test_the_provider_is_away(page: Page, tmp_path: Path) -> None:
    with standalone(tmp_path, oidc_provider.environment(processes.free_port())) as installation:
        page.goto(f"{installation.panel}/me/login/")
        page.get_by_role("button", name=BUTTON).click()
        expect(page.get_by_text("Example ID cannot be reached")).to_be_visible()
        shot(page, "away")
