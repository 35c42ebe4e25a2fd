"""The address of a page that takes only forms, opened in a browser: after an error, a reload, or signing in."""

import pytest
from django.conf import settings
from django.test import Client

from tests.django.api.world import World
from tests.django.attacks import pages

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.mark.parametrize("page", pages.every(), ids=str)
def test_no_address_of_a_page_leaves_a_browser_with_a_405(world: World, page: pages.Page) -> None:
    client, path = world.cast.client("owner"), page.path(world)
    refused = client.get(path).status_code == 405
    answer = client.get(path, headers=BROWSER, follow=True)
    assert answer.status_code != 405
    if refused:
        assert answer.status_code == 200
        assert path.startswith(answer.redirect_chain[0][0])


@pytest.mark.parametrize(
    ("end", "above"),
    [
        ("users/{user}/edit/", "users/{user}/"),
        ("grants/levels/", ""),
        ("n/red/i/app/api/-/restore/", "n/red/i/app/api/"),
    ],
)
def test_the_page_above_is_the_one_that_has_the_form(world: World, end: str, above: str) -> None:
    at = "/a/team-red/"
    path, expected = (at + each.format(user=world.user.username) for each in (end, above))
    client = world.cast.client("owner")
    assert client.get(path).status_code == 405
    assert client.get(path, headers=BROWSER).headers["Location"] == expected
    assert client.head(path, headers=BROWSER).status_code == 405
    assert client.put(path, headers=BROWSER).status_code == 405


def test_the_switch_of_the_language_leads_from_a_form_with_errors_to_a_page(world: World) -> None:
    client, edit = world.cast.client("owner"), f"{world.user.get_absolute_url()}edit/"
    wrong = client.post(edit, {"description": "", "expiry": "90"}, headers=BROWSER)
    assert wrong.status_code == 400
    for switch in ("/me/language/", "/me/time-preferences/"):
        back = client.post(
            switch, {"language": "fr"}, headers=BROWSER | {"Referer": settings.PUBLIC_URL + edit}, follow=True
        )
        assert back.redirect_chain[-1][0] == world.user.get_absolute_url()
        assert back.status_code == 200
    assert '<html lang="fr"' in back.text


def test_a_stranger_learns_no_more_from_it(world: World) -> None:
    path = f"{world.user.get_absolute_url()}edit/"
    assert world.cast.client("stranger").get(path, headers=BROWSER, follow=True).status_code == 404
    asked = Client().get(path, headers=BROWSER, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/me/login/")


def test_a_program_is_told_that_the_method_is_wrong(world: World) -> None:
    client = world.cast.client("owner")
    assert client.get("/me/language/").status_code == 405
    assert client.get("/me/language/", headers={"Accept": "*/*"}).status_code == 405
    api = client.get(f"/api/v1/accounts/team-red/users/{world.user.username}/disable/", headers=BROWSER)
    assert api.status_code == 405
