"""A permission from its first denial to its last refusal: docker and skopeo beside a browser.

A push is denied and allowed until Friday; its password is rotated and the old one ends unused; a public namespace
becomes private, after the page has named who pulls from it. On both databases and both registries; TEST_ALL_PAIRS=1
runs each with each.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Installation, accessible, load_until, standalone
from tests.e2e.test_story import copied_password
from tests.parts import images, postgres, processes, registries
from tests.parts.clients import Client, skopeo
from tests.parts.fixtures import need

pytestmark = [pytest.mark.e2e, pytest.mark.clients, pytest.mark.long]
EMAIL, PASSWORD = "grace@example.com", "tall ships and 9 harbours"
PAIRS: list[tuple[registries.Version, str]] = [("2.8", "sqlite"), ("3.1", "postgresql")]
OTHER_PAIRS: list[tuple[registries.Version, str]] = [("2.8", "postgresql"), ("3.1", "sqlite")]
FRIDAY = 4

# These run inside the installation, the first through the same services as the pages.
WORLD = f"""
from allauth.account.models import EmailAddress
from accounts.models import Person
from accounts.views.request import principal_for
from accounts.services import accounts, users
from namespaces.services import namespaces
person = Person.objects.create_user({EMAIL!r}, {PASSWORD!r})
EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
by = principal_for(person, {{}})
account = accounts.open_account(by=by, name="Yard")
namespaces.create(by=by, account=account, name="yard")
for name in ("CI deploy", "Kiosk"):
    user, password = users.create(by=by, account=account, description=name, expires_at=None)
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


@dataclass(frozen=True)
class Yard:
    """An account with a private, empty namespace and two users without permissions: username and password."""

    installation: Installation
    deploy: tuple[str, str]
    kiosk: tuple[str, str]

    @property
    def image(self) -> str:
        return f"{self.installation.registry}/yard/api"

    @property
    def account(self) -> str:
        return f"{self.installation.panel}/a/yard/"

    @property
    def user(self) -> str:
        """The page of CI deploy."""
        return f"{self.account}users/{self.deploy[0]}/"


@pytest.fixture(params=PAIRS + (OTHER_PAIRS if os.environ.get("TEST_ALL_PAIRS") == "1" else []), ids="-".join)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    version, database = request.param
    need(f"registry {version}", *([] if database == "sqlite" else [database]))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "registry").symlink_to(registries.binary(version))
    more = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    with ExitStack() as running:
        if database == "postgresql":
            more["DATABASE_URL"] = running.enter_context(postgres.running())
        installation = running.enter_context(standalone(tmp_path, more))
        deploy, kiosk = (line.split() for line in inside(installation, WORLD).splitlines()[-2:])
        yield Yard(installation, (deploy[0], deploy[1]), (kiosk[0], kiosk[1]))


def test_from_a_denied_push_to_a_private_namespace(
    yard: Yard, page: Page, docker: Client, tmp_path: Path
) -> None:
    target = f"{yard.image}:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    log_in(docker, yard, *yard.deploy)
    assert "denied" in refused(docker, "push", target)
    sign_in(page, yard)
    allow_until_friday(page, yard)
    docker("push", target)

    second = rotate(page, yard)
    docker("push", target)  # before the new one is used: once that is noted, this is as well
    new = named_skopeo(tmp_path, "new")
    log_in(new, yard, yard.deploy[0], second)
    new("inspect", f"docker://{target}")
    see_both_passwords_in_use(page, yard)
    inside(yard.installation, SEVEN_DAYS_PASS)
    assert "This password has ended." in refused(docker, "push", target)
    new("inspect", f"docker://{target}")
    see_the_end_of_the_old_one(page, yard)

    anonymous, kiosk = named_skopeo(tmp_path, "anonymous"), named_skopeo(tmp_path, "kiosk")
    log_in(kiosk, yard, *yard.kiosk)
    assert "denied" in refused(anonymous, "inspect", f"docker://{target}")
    make_public(page, yard)
    for number, client in enumerate((anonymous, kiosk, new)):
        client("copy", f"docker://{target}", f"dir:{tmp_path}/pulled-{number}")
    make_private(page, yard)
    for client in (anonymous, kiosk):
        assert "denied" in refused(client, "inspect", f"docker://{target}")
    new("inspect", f"docker://{target}")
    denials = f"{yard.account}denials/"
    load_until(page, denials, "Kiosk")
    expect(page.get_by_role("row").filter(has_text="Kiosk")).to_contain_text("pull denied")


def allow_until_friday(page: Page, yard: Yard) -> None:
    """From the account's first page to the reason, and with its button to the permission."""
    load_until(page, f"{yard.account}denials/", "push denied: no permission on this image")
    page.goto(f"{yard.account}images/")
    page.get_by_role("link", name="Access", exact=True).click()
    page.get_by_role("link", name="Denied requests", exact=True).click()
    row = page.get_by_role("row").filter(has_text="yard/api")
    expect(row).to_contain_text("push denied: no permission on this image")
    expect(row).to_contain_text("docker/")
    accessible(page)
    row.get_by_role("link", name="Allow…: CI deploy, push yard/api").click()

    sentence = page.locator("#effect")
    expect(sentence).to_contain_text("CI deploy can pull and push yard/api until")
    page.wait_for_load_state()
    today = datetime.now(UTC).date()
    friday = today + timedelta(days=(FRIDAY - today.weekday() - 1) % 7 + 1)
    page.get_by_label("Ends").select_option("on a date…")
    page.get_by_label("Last day").fill(friday.isoformat())
    until = f"CI deploy can pull and push yard/api until {friday.day} {friday:%b %Y}"
    expect(sentence).to_contain_text(until)
    accessible(page)
    page.get_by_role("button", name="Give this permission").click()
    expect(page.get_by_role("status").get_by_text(until)).to_be_visible()
    expect(row).to_contain_text("allowed now")
    page.goto(f"{yard.account}n/yard/permissions/")
    expect(page.get_by_role("row").filter(has_text="CI deploy").first).to_contain_text("write")
    accessible(page)


def rotate(page: Page, yard: Yard) -> str:
    """Return the second password."""
    page.goto(yard.user)
    page.get_by_role("link", name="Rotate password").click()
    accessible(page)
    page.get_by_label("The old password ends").select_option("after 7 days without use")
    page.get_by_role("button", name="Create second password").click()
    expect(page.get_by_text("The old one still works")).to_be_visible()
    page.get_by_role("button", name="Copy password", exact=True).click()
    return copied_password(page)


def see_both_passwords_in_use(page: Page, yard: Yard) -> None:
    load_until(page, yard.user, "by docker/", "with docker/", "with skopeo/", within="#passwords")
    expect(row_of(page, "the new one")).to_contain_text("with skopeo/")
    expect(row_of(page, "the old one")).to_contain_text("with docker/")
    expect(page.get_by_text("The old password was last used")).to_contain_text("by docker/")
    accessible(page)


def see_the_end_of_the_old_one(page: Page, yard: Yard) -> None:
    load_until(page, yard.user, "the password has ended")
    to_passwords = page.get_by_role("link", name="See the passwords: CI deploy, signing in")
    expect(to_passwords).to_have_attribute("href", re.compile("#passwords$"))
    expect(page.locator("#passwords")).to_contain_text("ended")
    expect(page.get_by_text("The old password was last used")).to_have_count(0)
    accessible(page)


def make_public(page: Page, yard: Yard) -> None:
    page.goto(f"{yard.account}n/yard/settings/")
    page.get_by_role("button", name="Make public").click()
    expect(page.get_by_role("link", name="Make private")).to_be_visible()


def make_private(page: Page, yard: Yard) -> None:
    """Ask until the registry's events of both pulls have come; the answer names who would be refused."""
    ends = time.monotonic() + processes.PATIENCE
    while True:
        page.goto(f"{yard.account}n/yard/settings/")
        page.get_by_role("link", name="Make private").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", name="What would break")).to_be_visible()
        pulls = dialog.get_by_text(re.compile(r"\d+ pulls? \(yard/api\)"))
        if pulls.count() == 2 or time.monotonic() > ends:
            break
    expect(pulls.filter(has_text="anonymous callers")).to_be_visible()
    expect(pulls.filter(has_text="Kiosk")).to_be_visible()
    expect(dialog.get_by_text("CI deploy")).to_have_count(0)
    accessible(page)
    dialog.get_by_role("button", name="Make private").click()
    expect(page.get_by_role("button", name="Make public")).to_be_visible()


def row_of(page: Page, text: str) -> Locator:
    return page.locator("#passwords").get_by_role("row").filter(has_text=text)


def named_skopeo(folder: Path, name: str) -> Client:
    """A skopeo that is logged in nowhere, beside others."""
    need("skopeo")
    (folder / name).mkdir()
    return skopeo(folder / name)


def refused(client: Client, *words: str) -> str:
    """What it prints as it fails."""
    done = client(*words, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def log_in(client: Client, yard: Yard, username: str, password: str) -> None:
    client("login", yard.installation.registry, "--username", username, "--password-stdin", stdin=password)


def sign_in(page: Page, yard: Yard) -> None:
    page.goto(f"{yard.installation.panel}/me/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Images", exact=True)).to_be_visible()


def inside(installation: Installation, script: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", script],
        env={**os.environ, **installation.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
