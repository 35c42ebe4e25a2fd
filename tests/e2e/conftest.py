"""A real browser, and the standalone set as `make run` starts it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.parts import patient, processes, team

# Chromium without what a person would see of it: it takes a third of the processor's time.
BROWSER = "/usr/bin/chromium-headless-shell"
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

PATIENCE = processes.PATIENCE * 1000  # milliseconds
expect.set_options(timeout=PATIENCE)

OPERATOR_LINK = re.compile(r"first operator: (\S+)\n")


@dataclass(frozen=True)
class Installation:
    panel: str
    registry: str
    operator_link: str
    environment: dict[str, str]


@contextmanager
def standalone(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """Start `make run` over a data folder below `folder`, with `more` in its environment, until it is ready."""
    ports, log = processes.ports(), folder / "run.log"
    ours = {"DATA_DIR": str(folder / "data"), **ports, "SYNC_INTERVAL_SECONDS": "2"} | patient.ENV
    ours |= more or {}
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRETS_DIR"}}
    team.put_database(ours)
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env={**kept, **ours})
    try:
        running.wait_until(lambda: "ready:" in log.read_text(), "a line that says ready")
        running.wait_until(lambda: OPERATOR_LINK.search(log.read_text()) is not None, "the operator's link")
        link = OPERATOR_LINK.search(log.read_text())
        assert link
        yield Installation(
            f"http://localhost:{ports['PORT']}", f"localhost:{ports['REGISTRY_PORT']}", link[1], ours
        )
    finally:
        running.stop()


@pytest.fixture(scope="package")  # its processes are at work all the time, beside the tests that come then
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with standalone(tmp_path_factory.mktemp("run")) as running:
        yield running


@pytest.fixture(scope="package")
def login(installation: Installation) -> str:
    """The demo's images, pushed through the real protocol; its password."""
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        env={**os.environ, **installation.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"with the password (\S+)", done.stdout)
    assert found, done.stdout
    return found[1]


@pytest.fixture(
    scope="module"
)  # no longer: playwright leaves an event loop running, on which Django asks no database
def browser() -> Iterator[Browser]:
    if not Path(BROWSER).exists():
        pytest.fail("Chromium is missing; run: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        browser.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def accessible(page: Page) -> None:
    """Look at the whole page: a press has led there once its first bytes have come."""
    page.wait_for_load_state()
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(each["id"], each["nodes"][0]["html"]) for each in violations]


def load_until(page: Page, address: str, *texts: str, within: str = "body") -> None:
    """Load the page until it says so: what the token server notes is written a moment later.

    `within`: the part to look at next. Another may ask for what is new, and say it earlier.
    """
    until = time.monotonic() + processes.PATIENCE
    while page.goto(address):
        said = " ".join((page.locator(within).text_content() or "").split())
        if all(text in said for text in texts):
            return
        assert time.monotonic() < until, (texts, said)
