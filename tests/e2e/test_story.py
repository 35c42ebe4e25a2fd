"""The README's first push, word for word: its links and buttons in a browser, its commands in a terminal."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from registry_sync.doctor.runner import TITLES
from tests.e2e.conftest import Installation, accessible
from tests.parts import images, processes
from tests.parts.clients import Client
from tests.parts.terminal import in_terminal

pytestmark = [pytest.mark.e2e, pytest.mark.clients]
README = (Path(__file__).parents[2] / "README.md").read_text()
STEPS = README.partition("## The first push")[2].partition("\n## ")[0]
MOST_CLICKS = 8
PASSWORD = "tall ships and 9 harbours"
ANSWERS = {
    "email": "ada@example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "description": "CI deploy",
}


def test_from_an_empty_machine_to_the_pushed_image_on_screen(
    installation: Installation, page: Page, docker: Client, tmp_path: Path
) -> None:
    clicks = re.findall(r"\*\*(.+?)\*\*", STEPS)
    assert len(clicks) <= MOST_CLICKS
    *before, last = clicks
    page.goto(installation.operator_link)
    for label in before:
        fill_in(page)
        accessible(page)
        click(page, label)
    accessible(page)
    password = copied_password(page)
    username = re.search(
        r"docker login \S+ -u ([a-z][a-z0-9]{11})$", page.locator("main").inner_text(), re.MULTILINE
    )
    assert username
    push(installation, docker, tmp_path, username[1], password)
    expect(page.get_by_text(re.compile("Used from .* by docker"))).to_be_visible()
    click(page, last)
    expect(page.get_by_role("link", name="devatoria/nginx")).to_be_visible()

    assert password not in page.content()
    page.goto(f"{installation.panel}/a/devatoria/n/devatoria/i/nginx/")
    see_it_come(page, docker, f"{installation.registry}/devatoria/nginx")
    docker("logout", installation.registry)
    see_the_image(page, installation)
    ask_the_doctor(page, installation)


def fill_in(page: Page) -> None:
    """What the page asks for and has not filled in by itself."""
    page.wait_for_load_state()
    for name, answer in (ANSWERS | {"name": "Devatoria"}).items():
        field = page.locator(f"main [name={name}]")
        if field.count() and not field.input_value():
            field.fill(answer)


def click(page: Page, label: str) -> None:
    page.locator("main").get_by_role("link", name=label, exact=True).or_(
        page.locator("main").get_by_role("button", name=label, exact=True)
    ).first.click()


def copied_password(page: Page) -> str:
    """From the clipboard, where **Copy password** put it, and said so."""
    expect(page.locator("#announcer")).to_have_text("Copied")
    page.context.grant_permissions(["clipboard-read"])
    text: str = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"rmp_[0-9A-Za-z]{38}", text)
    return text


def push(installation: Installation, docker: Client, folder: Path, username: str, password: str) -> None:
    """The README's commands, with the host and the name of this installation."""
    tar = images.write_docker_tar(folder / "nginx.tar", images.Image(labels={"a": "b"}), "nginx:latest")
    docker("load", "--input", tar)  # what `docker pull nginx` brings
    for command in commands(installation, username):
        if command[0] == "login":
            shown = in_terminal([*docker.command, *command], env=docker.env, typed=f"{password}\n")
            assert "Login Succeeded" in shown
        elif command[0] != "pull":
            docker(*command)


def commands(installation: Installation, username: str) -> Iterator[list[str]]:
    for line in re.findall(r"^\$ docker (.+)", STEPS, re.MULTILINE):
        yield line.replace("localhost:5000", installation.registry).replace("wsbq5k5ysqyt", username).split()


def ask_the_doctor(page: Page, installation: Installation) -> None:
    """The worker looks, the page fills by itself; nothing is wrong with a new installation."""
    page.goto(f"{installation.panel}/system/")
    expect(page.get_by_role("heading", name="System", exact=True)).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Doctor", exact=True).click()
    doctor = page.locator("#doctor")
    slow = doctor.get_by_text(re.compile(r"took [\d.]+ s to respond"))  # is wrong with the machine alone
    ends = time.monotonic() + processes.PATIENCE
    while True:
        page.get_by_role("button", name="Check now").click()
        expect(doctor.get_by_text(re.compile("^checked "))).to_be_visible()
        if not slow.count():
            break
        assert time.monotonic() < ends
    expect(doctor.locator(".state-good, .state-none")).to_have_count(len(TITLES))
    accessible(page)


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
    accessible(page)
    page.get_by_role("link", name="Layers").click()
    expect(page.get_by_text("COPY hello /").first).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Activity").first.click()
    expect(page.get_by_text("CI deploy").first).to_be_visible()
    accessible(page)
