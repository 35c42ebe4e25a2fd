"""What every answer tells the browser: no frame, no sniffing, no script of others, and nothing private kept."""

import re

import pytest
from django.test import Client

from tests.django.api.world import World
from tests.django.attacks import pages
from tests.django.attacks.pages import Page

FOR_EVERYBODY = [
    "/me/login/",
    "/me/signup/",
    "/me/password/reset/",
    "/nowhere/",
    "/invite/x/",
    "/bootstrap/x/",
]


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def directives(policy: str) -> dict[str, str]:
    return dict(each.strip().split(" ", 1) for each in policy.split(";"))


def assert_guarded(headers: dict[str, str]) -> None:
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = directives(headers["Content-Security-Policy"])
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert policy["default-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("page", pages.every(), ids=str)
def test_every_page_is_guarded(world: World, page: Page) -> None:
    for client in (world.cast.client("owner"), world.cast.client("stranger"), Client()):
        assert_guarded(dict(client.get(page.path(world)).items()))


@pytest.mark.django_db
@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_every_page_for_everybody_is_guarded(path: str) -> None:
    assert_guarded(dict(Client().get(path).items()))


@pytest.mark.parametrize("page", pages.as_html(), ids=str)
def test_no_page_needs_a_relaxed_policy(world: World, page: Page) -> None:
    """Scripts and styles come from files of ours; an inline one would not run, and must not be asked for."""
    html = world.cast.client("owner").get(page.path(world)).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|href=\"javascript:", html)
    for address in re.findall(r"<(?:script|link|img)[^>]*?(?:src|href)=\"([^\"]+)\"", html):
        assert address.startswith(("/static/", "data:")), address


@pytest.mark.parametrize("page", pages.as_html(), ids=str)
def test_a_part_of_a_page_is_not_kept_for_the_whole(world: World, page: Page) -> None:
    """A page that answers htmx otherwise says so to caches; the back button must not show a piece."""
    client, path = world.cast.client("owner"), page.path(world)
    whole, part = client.get(path), client.get(path, headers={"HX-Request": "true"})
    if (
        whole.status_code == 200
        and "<html" in whole.content.decode()
        and "<html" not in part.content.decode()
    ):
        assert "HX-Request" in whole["Vary"]
        assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize("page", pages.of_an_account(), ids=str)
def test_no_shared_cache_keeps_the_page_of_a_person(world: World, page: Page) -> None:
    answer = world.cast.client("owner").get(page.path(world))
    if answer.status_code == 200:
        assert "Cookie" in answer["Vary"]
        assert "public" not in answer.headers.get("Cache-Control", "")
