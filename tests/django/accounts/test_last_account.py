"""System, search and a person's own pages keep the tabs of the account that was open last."""

import pytest
from django.test import Client

from accounts.models import Person
from tests.cast import Cast, client_for

TABS = '<a class="nav-link" href="/a/team-red/images/"'
NONES = ["/search/", "/me/tokens/", "/me/email/", "/me/sessions/"]


def written(client: Client, page: str) -> str:
    """Return the page, each run of blanks as one."""
    return " ".join(client.get(page).text.split())


def test_pages_of_no_account_keep_the_tabs(cast: Cast) -> None:
    client = cast.client("viewer")
    assert not any(TABS in written(client, page).split("<main")[0].split("frame-tabs")[-1] for page in NONES)
    client.get("/a/team-red/activity/")
    for page in NONES:
        assert TABS in written(client, page).split("frame-tabs")[1].split("<main")[0], page
    assert "frame-tabs" not in client.get("/?all=1").text  # there one chooses


def test_so_does_system(cast: Cast, operator: Person) -> None:
    cast.account.members.create(person=operator, role="viewer")
    client = client_for(operator)
    client.get("/a/team-red/images/")
    assert TABS in written(client, "/system/")


@pytest.mark.parametrize("page", ["/a/elsewhere/images/", "/a/none/images/"])
def test_none_that_was_not_open(cast: Cast, page: str) -> None:
    client = cast.client("viewer")
    client.get(page)
    assert "account" not in client.cookies


def test_whoever_comes_next_sees_it_as_a_member_alone(cast: Cast) -> None:
    for who, kept in (("owner", True), ("stranger", False)):
        client = cast.client(who)
        client.cookies["account"] = "team-red"
        assert (TABS in written(client, "/me/tokens/").split("<main")[0]) is kept
