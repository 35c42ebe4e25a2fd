"""A public namespace is made private in a browser, and the page first names who pulls from it with a real client."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Installation
from tests.e2e.test_removal import sign_in
from tests.e2e.test_story import accessible
from tests.parts import processes
from tests.parts.clients import Client

pytestmark = [pytest.mark.e2e, pytest.mark.clients]


def test_the_callers_of_a_public_namespace_are_named_before_it_becomes_private(
    installation: Installation, login: str, page: Page, skopeo: Client, tmp_path: Path
) -> None:
    image = f"docker://{installation.registry}/tools/debug"
    tag = json.loads(skopeo("list-tags", image).stdout)["Tags"][0]
    skopeo("copy", f"{image}:{tag}", f"dir:{tmp_path}/before")
    sign_in(page, installation, login)
    settings = f"{installation.panel}/a/harbour-street/n/tools/settings/"
    dialog = asked(page, settings)
    expect(dialog.get_by_text(re.compile(r"anonymous callers: \d+ pulls? \(tools/debug\)"))).to_be_visible()
    accessible(page)
    dialog.get_by_role("button", name="Make private").click()
    expect(page.get_by_role("button", name="Make public")).to_be_visible()
    assert skopeo("copy", f"{image}:{tag}", f"dir:{tmp_path}/after", check=False).returncode != 0

    page.get_by_role("button", name="Make public").click()
    expect(page.get_by_role("link", name="Make private")).to_be_visible()
    skopeo("copy", f"{image}:{tag}", f"dir:{tmp_path}/again")


def asked(page: Page, settings: str) -> Locator:
    """Open the question until the registry's event of the pull has come."""
    ends = time.monotonic() + processes.PATIENCE
    while True:
        page.goto(settings)
        page.get_by_role("link", name="Make private").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", name="What would break")).to_be_visible()
        if dialog.get_by_text(re.compile(r"\d+ pulls?")).count() or time.monotonic() > ends:
            return dialog
