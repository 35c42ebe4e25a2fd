"""A push that is denied, the button that allows it until Friday, and the same push again: with docker and a browser."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation
from tests.e2e.test_story import accessible
from tests.parts import images
from tests.parts.clients import Client

pytestmark = [pytest.mark.e2e, pytest.mark.clients]
EMAIL, PASSWORD = "grace@example.com", "tall ships and 9 harbours"

# Runs inside the installation, through the same services as the pages.
WORLD = f"""
from allauth.account.models import EmailAddress
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, users
from namespaces.services import namespaces
person = Person.objects.create_user({EMAIL!r}, {PASSWORD!r})
EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
by = principal_for(person, {{}})
account = accounts.open_account(by=by, name="Denied")
namespaces.create(by=by, account=account, name="denied")
user, password = users.create(by=by, account=account, description="CI deploy", expires_at=None)
print(user.username, password)
"""


@pytest.fixture
def user(installation: Installation) -> tuple[str, str]:
    """The name and the password of a user without permissions."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", WORLD],
        env={**os.environ, **installation.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    username, password = done.stdout.splitlines()[-1].split()
    return username, password


def test_a_denied_push_is_allowed_until_friday_and_works(
    installation: Installation, page: Page, docker: Client, user: tuple[str, str], tmp_path: Path
) -> None:
    target = f"{installation.registry}/denied/api:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    docker("login", installation.registry, "--username", user[0], "--password-stdin", stdin=user[1])
    refused = docker("push", target, check=False)
    assert refused.returncode != 0
    assert "denied" in refused.stderr

    sign_in(page, installation)
    page.goto(f"{installation.panel}/a/denied/images/")
    page.get_by_role("link", name="Access", exact=True).click()
    page.get_by_role("link", name="Denied requests", exact=True).click()
    row = page.get_by_role("row").filter(has_text="denied/api")
    expect(row).to_contain_text("push denied: no permission on this image")
    expect(row).to_contain_text("docker/")
    accessible(page)
    row.get_by_role("link", name="Allow…: CI deploy, push denied/api").click()

    sentence = page.locator("#effect")
    expect(sentence).to_contain_text("CI deploy can pull and push denied/api until")
    accessible(page)
    page.get_by_label("Ends").select_option("on a date…")
    friday = page.get_by_label("Last day").input_value()
    expect(sentence).to_contain_text(f"until {int(friday[-2:])} ")
    page.get_by_role("button", name="Give this permission").click()
    expect(
        page.get_by_text(re.compile(r"CI deploy can pull and push denied/api until \d+ \w+ \d{4}"))
    ).to_be_visible()
    expect(row).to_contain_text("allowed now")

    docker("push", target)
    page.goto(f"{installation.panel}/a/denied/n/denied/permissions/")
    expect(page.get_by_role("row").filter(has_text="CI deploy").first).to_contain_text("write")
    accessible(page)


def sign_in(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Images", exact=True)).to_be_visible()
