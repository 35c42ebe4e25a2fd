"""The tutorial from its first line to its last: a browser and a Docker engine, nothing else."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from registry_sync.doctor.runner import TITLES
from tests.e2e.conftest import Installation
from tests.parts import images
from tests.parts.clients import Client

pytestmark = [pytest.mark.e2e, pytest.mark.clients]
PASSWORD = "tall ships and 9 harbours"


def test_from_an_empty_machine_to_the_pushed_image_on_screen(
    installation: Installation, page: Page, docker: Client, tmp_path: Path
) -> None:
    sign_up_as_operator(page, installation)
    open_account(page, installation)
    username, password = create_user(page)
    create_namespace_and_permission(page)
    page.goto(f"{installation.panel}/a/devatoria/n/devatoria/i/nginx/")
    expect(page.get_by_text("waiting for the first push")).to_be_visible()
    push(installation, docker, tmp_path, username, password)
    see_it_come(page, docker, f"{installation.registry}/devatoria/nginx")
    docker("logout", installation.registry)
    see_the_image(page, installation)


def sign_up_as_operator(page: Page, installation: Installation) -> None:
    page.goto(installation.operator_link)
    accessible(page)
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill("ada@example.com")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    accessible(page)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Become the operator").click()
    page.goto(f"{installation.panel}/system/")
    expect(page.get_by_role("heading", name="System", exact=True)).to_be_visible()
    accessible(page)
    ask_the_doctor(page)


def ask_the_doctor(page: Page) -> None:
    """The worker looks, the page fills by itself; nothing is wrong with a new installation."""
    page.get_by_role("link", name="Doctor", exact=True).click()
    page.get_by_role("button", name="Check now").click()
    # Where no other test has pushed yet, there is nothing to pull, and the doctor says so.
    expect(page.locator("#doctor").locator(".state-good, .state-none")).to_have_count(len(TITLES))
    accessible(page)


def open_account(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/accounts/new/")
    page.get_by_label("Name").fill("Devatoria")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/a/devatoria/"))
    accessible(page)


def create_user(page: Page) -> tuple[str, str]:
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="Create user").first.click()
    page.get_by_label("Description").fill("CI deploy")
    page.get_by_role("button", name="Create user").click()
    text = page.locator("main").inner_text()
    password = re.search(r"rmp_[0-9A-Za-z]{38}", page.content())
    username = re.search(r"\b[a-z][a-z0-9]{11}\b", text)
    assert password
    assert username
    accessible(page)
    page.get_by_role("link", name="I have saved it").click()
    assert password[0] not in page.content()
    return username[0], password[0]


def create_namespace_and_permission(page: Page) -> None:
    page.get_by_role("link", name="Images", exact=True).first.click()
    page.get_by_role("link", name="Create namespace").first.click()
    page.get_by_label("Name").fill("Devatoria")
    page.get_by_role("button", name="Create namespace").click()
    expect(page.get_by_text("Use lower case")).to_be_visible()
    page.get_by_label("Name").fill("devatoria")
    page.get_by_role("button", name="Create namespace").click()
    page.get_by_label("User", exact=True).select_option(index=1)
    page.get_by_label("Level", exact=True).select_option("admin")
    page.get_by_role("button", name="Add permission").click()
    expect(page.get_by_text("Permission added.")).to_be_visible()
    accessible(page)


def push(installation: Installation, docker: Client, folder: Path, username: str, password: str) -> None:
    target = f"{installation.registry}/devatoria/nginx"
    tar = images.write_docker_tar(folder / "nginx.tar", images.Image(labels={"a": "b"}), "nginx:latest")
    docker("load", "--input", tar)
    docker("login", installation.registry, "--username", username, "--password-stdin", stdin=password)
    docker("tag", "nginx:latest", target)
    docker("push", target)


def see_it_come(page: Page, docker: Client, target: str) -> None:
    """On a page that nobody reloads: the first tag by itself, the next one as a line above the list."""
    expect(page.get_by_role("link", name="latest", exact=True)).to_be_visible()
    docker("tag", "nginx:latest", f"{target}:1.0")
    docker("push", f"{target}:1.0")
    expect(page.get_by_text("1 new tag: show")).to_be_visible()
    expect(page.get_by_role("link", name="1.0", exact=True)).to_be_hidden()
    accessible(page)
    page.get_by_text("1 new tag: show").click()
    expect(page.get_by_role("link", name="1.0", exact=True)).to_be_visible()


def see_the_image(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.panel}/a/devatoria/n/devatoria/")
    expect(page.get_by_role("link", name="devatoria/nginx")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="devatoria/nginx").click()
    page.get_by_role("link", name="latest", exact=True).click()
    expect(page.get_by_text("linux/amd64").first).to_be_visible()
    expect(page.get_by_text("COPY hello /").first).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Activity").first.click()
    expect(page.get_by_text("CI deploy").first).to_be_visible()
    accessible(page)


def accessible(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(each["id"], each["nodes"][0]["html"]) for each in violations]
