"""How often an open page asks when nothing happens, in a real browser whose clock stands until it is told to go on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation
from tests.e2e.test_typing import a_newcomer

pytestmark = pytest.mark.e2e
COUNT = """
window.asked = window.answered = 0;
document.addEventListener("htmx:beforeRequest", () => { window.asked += 1; });
document.addEventListener("htmx:afterRequest", ({detail}) => { if (detail.xhr.status === 204) window.answered += 1; });
let hidden = false;
Object.defineProperty(document, "hidden", {get: () => hidden});
window.hide = (now) => { hidden = now; document.dispatchEvent(new Event("visibilitychange")); };
"""


@pytest.fixture
def waiting(installation: Installation, page: Page) -> Page:
    """A page that waits for the first use of a password that nobody uses."""
    page.goto(f"{a_newcomer(page, installation, 'patience')}users/new/")
    page.get_by_label("Description").fill("Nobody")
    page.add_init_script(COUNT)
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 3600000"))
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_text("Waiting for first use")).to_be_visible()
    page.wait_for_load_state()  # its scripts have begun to wait
    return page


def test_it_asks_ever_less_and_at_once_when_it_is_looked_at_again(waiting: Page) -> None:
    ask = asker(waiting)
    ask(1000, times=30)
    ask(5000, times=24)
    ask(30000, times=3)

    waiting.evaluate("hide(true)")
    waiting.clock.run_for(3_600_000)  # in the background
    assert waiting.evaluate("asked") == 57
    waiting.evaluate("hide(false)")
    answered(waiting, 58)
    ask(1000, times=29)
    ask(5000, times=1)

    waiting.clock.run_for(3000)
    waiting.evaluate("window.dispatchEvent(new Event('focus'))")  # from another window
    answered(waiting, 89)
    ask(1000, times=2)


def asker(page: Page) -> Callable[..., None]:
    def ask(wait: int, *, times: int) -> None:
        """Each `wait` ms, and not a millisecond sooner."""
        for _each in range(times):
            before = page.evaluate("asked")
            page.clock.run_for(wait - 1)
            assert page.evaluate("asked") == before
            page.clock.run_for(1)
            answered(page, before + 1)

    return ask


def answered(page: Page, count: int) -> None:
    """So many questions in all, each answered: nothing new."""
    assert page.evaluate("asked") == count
    while page.evaluate("answered") < count:
        assert page.evaluate("asked") == count
