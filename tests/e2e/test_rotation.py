"""A password is rotated while docker uses the old one and skopeo the new one; the old one ends unused."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Installation
from tests.e2e.test_story import accessible, copied_password
from tests.parts import images, processes
from tests.parts.clients import Client

pytestmark = [pytest.mark.e2e, pytest.mark.clients]
EMAIL, PASSWORD = "hopper@example.com", "tall ships and 9 harbours"

# Run inside the installation, through the same services as the pages.
WORLD = f"""
from allauth.account.models import EmailAddress
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, users
from namespaces.services import grants, namespaces
person = Person.objects.create_user({EMAIL!r}, {PASSWORD!r})
EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
by = principal_for(person, {{}})
account = accounts.open_account(by=by, name="Rotated")
namespace = namespaces.create(by=by, account=account, name="rotated")
user, password = users.create(by=by, account=account, description="CI deploy", expires_at=None)
grants.give(by=by, namespace=namespace, user=user, level="write")
print(user.username, password)
"""
SEVEN_DAYS_PASS = """
from datetime import timedelta
from django.db.models import F
from accounts.models import Secret
days = timedelta(days=7)
old = Secret.objects.filter(retire_after_unused_days=7)
old.update(retires_at=F("retires_at") - days, last_used_at=F("last_used_at") - days)
"""


def inside(installation: Installation, script: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", script],
        env={**os.environ, **installation.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_old_password_ends_when_nobody_uses_it(
    installation: Installation, page: Page, docker: Client, skopeo: Client, tmp_path: Path
) -> None:
    username, first = inside(installation, WORLD).splitlines()[-1].split()
    address = f"{installation.panel}/a/rotated/users/{username}/"
    target = f"{installation.registry}/rotated/api:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    log_in(docker, installation, username, first)
    docker("push", target)

    sign_in(page, installation)
    page.goto(address)
    page.get_by_role("link", name="Rotate password").click()
    accessible(page)
    page.get_by_label("The old password ends").select_option("after 7 days without use")
    page.get_by_role("button", name="Create second password").click()
    expect(page.get_by_text("The old one still works")).to_be_visible()
    page.get_by_role("button", name="Copy password", exact=True).click()
    second = copied_password(page)

    log_in(skopeo, installation, username, second)
    skopeo("inspect", f"docker://{target}")
    docker("push", target)
    shown(page, address, "by docker/")
    expect(page.get_by_text("The old password was last used")).to_contain_text("by docker/")
    accessible(page)

    inside(installation, SEVEN_DAYS_PASS)
    refused = docker("push", target, check=False)
    assert refused.returncode != 0
    assert "This password has ended." in refused.stderr + refused.stdout
    skopeo("inspect", f"docker://{target}")

    shown(page, address, "the password has ended")
    expect(page.locator("#passwords")).to_contain_text("ended")
    expect(page.get_by_text("The old password was last used")).to_have_count(0)


def shown(page: Page, address: str, text: str) -> None:
    """Load the page until it says so: what the token server notes is written a moment later."""
    until = time.monotonic() + processes.PATIENCE
    while page.goto(address) and text not in page.content():
        assert time.monotonic() < until, text


def log_in(client: Client, installation: Installation, username: str, password: str) -> None:
    client("login", installation.registry, "--username", username, "--password-stdin", stdin=password)


def sign_in(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/me/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Images", exact=True)).to_be_visible()
