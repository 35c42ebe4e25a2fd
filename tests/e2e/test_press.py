"""A press takes longer than a list does to come: 100 ms here, and each of them does what it was for."""

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from manager.demo.push_client import CONFIG, MANIFEST, Pusher
from tests.e2e.conftest import Installation, accessible
from tests.e2e.test_removal import sign_in
from tests.e2e.test_typing import SETTLED
from tests.parts import processes

pytestmark = pytest.mark.e2e
PRESS = 100.0
NOWHERE = (4, 600)  # beside the column: a press there does nothing
# (page, what is typed into its filter, the link that is then pressed)
LISTS = [
    ("/a/harbour-street/images/", "migr", "shop/team/tools/migrate"),
    ("/a/harbour-street/n/shop/", "work", "shop/worker"),
    ("/a/harbour-street/n/shop/i/api/", "1.2", "1.2"),  # test_removal.py takes the older ones away
    ("/a/harbour-street/users/", "prod", "Production servers"),
]


@pytest.fixture
def signed_in(installation: Installation, page: Page, login: str) -> Page:
    sign_in(page, installation, login)
    return page


@pytest.mark.parametrize(("path", "typed", "name"), LISTS)
def test_after_typing_the_first_press_on_a_row_opens_it(
    installation: Installation, signed_in: Page, path: str, typed: str, name: str
) -> None:
    page = signed_in
    page.goto(installation.panel + path)
    rows = page.locator("table.list tbody tr")
    all_of_them = rows.count()
    page.get_by_role("main").get_by_role("searchbox").press_sequentially(typed)
    expect(rows).not_to_have_count(all_of_them)
    page.get_by_role("link", name=name, exact=True).click(delay=PRESS)
    expect(page).not_to_have_url(re.compile(re.escape(path) + r"(\?.*)?$"))


@pytest.mark.parametrize(("path", "typed", "name"), LISTS)
def test_a_list_that_comes_during_a_press_waits_for_its_end(
    installation: Installation, signed_in: Page, path: str, typed: str, name: str
) -> None:
    page = signed_in
    page.goto(installation.panel + path)
    rows = page.locator("table.list tbody tr")
    all_of_them = rows.count()
    page.mouse.move(*NOWHERE)
    page.mouse.down()
    with page.expect_response(re.compile(r"\?.*q=")):
        page.get_by_role("main").get_by_role("searchbox").fill(typed)
    page.evaluate(SETTLED)
    expect(rows).to_have_count(all_of_them)
    page.mouse.up()
    expect(rows).not_to_have_count(all_of_them)
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_ticks_survive_the_list_and_what_it_does_not_show_stays_chosen(
    installation: Installation, signed_in: Page
) -> None:
    page = signed_in
    page.goto(f"{installation.panel}/a/harbour-street/n/shop/i/nightly/")
    box, search = tick_of(page), page.get_by_role("main").get_by_role("searchbox")
    search.press_sequentially("build-12")
    expect(box("build-150")).to_be_hidden()
    for tag in ("build-121", "build-122", "build-123"):
        box(tag).click(delay=PRESS)
    search.fill("build-123")
    expect(page.get_by_text("Also selected, not in this list: 2")).to_be_visible()
    expect(box("build-123")).to_be_checked()
    accessible(page)
    search.fill("nothing like it")
    expect(page.get_by_text("No tag matches")).to_be_visible()
    search.fill("build-12")
    for tag in ("build-121", "build-122", "build-123"):
        expect(box(tag)).to_be_checked()
    expect(page.get_by_text("Also selected")).to_be_hidden()
    box("build-122").click(delay=PRESS)
    search.fill("build-123")
    expect(page.get_by_text("Also selected, not in this list: 1")).to_be_visible()
    page.get_by_role("button", name="Remove selected…").click(delay=PRESS)
    expect(page).to_have_url(re.compile(r"tag=build-12[13]&(q=build-123&)?tag=build-12[13]$"))


def tick_of(page: Page) -> Callable[..., object]:
    return lambda tag: page.get_by_role("checkbox", name=f"Select {tag}", exact=True)


def test_the_focus_stays_on_its_row(installation: Installation, signed_in: Page) -> None:
    page = signed_in
    page.goto(f"{installation.panel}/a/harbour-street/n/shop/i/nightly/")
    link = page.get_by_role("link", name="build-150", exact=True)

    def focused_first(route: Route) -> None:
        link.focus()
        route.continue_()

    page.route(re.compile("q=build-1(&|$)"), focused_first)
    page.get_by_role("main").get_by_role("searchbox").press_sequentially("build-1")
    expect(page.get_by_text("tags match")).to_be_visible()
    expect(link).to_be_focused()


def test_what_is_live_waits_for_the_release_of_pointer_and_key(
    installation: Installation, page: Page, login: str
) -> None:
    """Two pages wait for the first use of two passwords. The one on which something is held down stays as it is."""
    sign_in(page, installation, login)
    for hold, let_go in (
        (page.mouse.down, page.mouse.up),
        (lambda: page.keyboard.down("Space"), lambda: page.keyboard.up("Space")),
    ):
        page.goto(f"{installation.panel}/a/harbour-street/users/new/")
        page.get_by_label("Description").fill("Held")
        page.get_by_role("button", name="Create user").click()
        expect(page.get_by_text("Waiting for first use")).to_be_visible()
        page.wait_for_load_state()
        page.mouse.move(*NOWHERE)
        hold()
        with page.expect_response(lambda answer: "first-use" in answer.url and answer.status == 200):
            use(installation, page)
        page.evaluate(SETTLED)
        expect(page.get_by_text("Waiting for first use")).to_be_visible()
        let_go()
        expect(page.get_by_text("Used from")).to_be_visible()


def test_a_page_that_begins_anew_leaves_an_open_menu_open(
    installation: Installation, page: Page, login: str
) -> None:
    sign_in(page, installation, login)
    page.goto(f"{installation.panel}/a/harbour-street/namespaces/new/")
    page.get_by_label("Name").fill("firsts")
    page.get_by_role("button", name="Create namespace").click()
    expect(page).not_to_have_url(re.compile("/namespaces/new/"))
    page.goto(f"{installation.panel}/a/harbour-street/users/new/?purpose=write&where=firsts")
    page.get_by_label("Description").fill("First push")
    page.get_by_role("button", name="Create user").click()
    username, password = shown(page)
    page.goto(f"{installation.panel}/a/harbour-street/n/firsts/")
    expect(page.get_by_text("waiting for the first push")).to_be_visible()
    page.locator("summary", has_text="Signed in as").click()
    with page.expect_response(lambda answer: answer.headers.get("hx-refresh") == "true"):
        pusher = Pusher(f"http://{installation.registry}", "firsts/api", username, password)
        config = pusher.blob(CONFIG, b"{}")
        pusher.manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}, "latest")
    page.evaluate(SETTLED)
    expect(page.get_by_role("link", name="API tokens")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="firsts/api")).to_be_visible()


def use(installation: Installation, page: Page) -> None:
    """The password that the page shows, as a client gives it for a token."""
    answer = requests.get(
        f"http://localhost:{installation.environment['TOKEN_PORT']}/auth/token",
        params={"service": installation.registry},
        auth=shown(page),
        timeout=processes.PATIENCE,
    )
    assert answer.status_code == 200, answer.text


def shown(page: Page) -> tuple[str, str]:
    """Username and password on the page that shows them once."""
    expect(page.get_by_role("heading", name="Save the password")).to_be_visible()
    page.wait_for_load_state()
    username = re.search(r"\b[a-z][a-z0-9]{11}\b", page.locator("main").inner_text())
    password = re.search(r"rmp_[0-9A-Za-z]{38}", page.content())
    assert username
    assert password
    return username[0], password[0]
