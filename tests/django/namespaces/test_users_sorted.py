"""GET /a/<handle>/users/?state=…&sort=…, and the same of the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import RegistryUser
from accounts.user_list import SORTS, STATES
from tests import factories
from tests.cast import OUTSIDERS, Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of

URL, API = "/a/team-red/users/", "accounts/team-red/users/"
DAY = timedelta(days=1)
IN_STATE = {
    "": ["gone", "expired", "soon", "fresh", "busy"],
    "unused": ["fresh"],
    "idle": [],
    "expiring": ["soon"],
    "expired": ["expired"],
    "overlong": ["fresh", "busy"],
    "disabled": ["gone"],
}
SORTED = {
    "-created": ["gone", "expired", "soon", "fresh", "busy"],
    "created": ["busy", "fresh", "soon", "expired", "gone"],
    "name": ["busy", "expired", "fresh", "gone", "soon"],
    "-name": ["soon", "gone", "fresh", "expired", "busy"],
    "used": ["fresh", "gone", "expired", "soon", "busy"],
    "-used": ["busy", "soon", "expired", "gone", "fresh"],
    "expires": ["expired", "soon", "gone", "busy", "fresh"],
    "-expires": ["fresh", "busy", "gone", "soon", "expired"],
}


@pytest.fixture(autouse=True)
def users(cast: Cast) -> None:
    now = timezone.now()
    type(cast.account).objects.filter(pk=cast.account.pk).update(longest_life_days=60)

    def made(name: str, minute: int, used: timedelta | None, **more: datetime) -> None:
        moments = {
            "created_at": now + timedelta(minutes=minute),
            "last_used_at": now - used if used else None,
        }
        factories.RegistryUserFactory(account=cast.account, description=name, **moments, **more)

    made("busy", 1, DAY, expires_at=now + 90 * DAY)
    made("fresh", 2, None)
    made("soon", 3, 2 * DAY, expires_at=now + 13 * DAY)
    made("expired", 4, 3 * DAY, expires_at=now - DAY)
    made("gone", 5, 4 * DAY, disabled_at=now, expires_at=now + 14 * DAY)
    factories.RegistryUserFactory(account=cast.elsewhere, description="theirs", disabled_at=now)


def on_page(cast: Cast, **query: str) -> list[str]:
    return [row["user"].description for row in cast.client("viewer").get(URL, query).context["rows"]]


def by_api(cast: Cast, **query: str) -> list[str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[dict[str, Any]] = caller_of(cast, "viewer").get(f"{API}?{asked}").json()["results"]
    return [each["description"] for each in found]


def test_there_is_a_case_for_each() -> None:
    assert (sorted(IN_STATE), sorted(SORTED)) == (sorted(["", *STATES]), sorted(SORTS))


@pytest.mark.parametrize(("state", "found"), IN_STATE.items())
def test_those_in_a_state(cast: Cast, state: str, found: list[str]) -> None:
    assert on_page(cast, state=state) == by_api(cast, state=state) == found


@pytest.mark.parametrize(("sort", "found"), SORTED.items())
def test_in_any_order(cast: Cast, sort: str, found: list[str]) -> None:
    assert on_page(cast, sort=sort) == by_api(cast, sort=sort) == found


@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_each_order_neither_miss_nor_repeat(cast: Cast, sort: str) -> None:
    RegistryUser.objects.all().delete()
    now = timezone.now()
    for number in range(60):
        factories.RegistryUserFactory(
            account=cast.account, description=f"user {number // 7}",
            last_used_at=now if number % 3 else None, expires_at=now + DAY if number % 2 else None,
        )  # fmt: skip
    client, seen, url = cast.client("viewer"), [], f"{URL}?sort={sort}"
    while url:
        page = client.get(url).context["page"]
        seen += [user.pk for user in page.rows]
        url = page.next_url and URL + page.next_url
    assert len(seen) == len(set(seen)) == 60
    back = client.get(URL + page.previous_url).context["page"]
    assert [user.pk for user in back.rows] == seen[:50]


def test_state_order_and_filter_go_together(cast: Cast) -> None:
    assert on_page(cast, state="expired", sort="name", q="EXP") == ["expired"]
    assert on_page(cast, state="expired", sort="name", q="busy") == []
    page = cast.client("viewer").get(URL, {"state": "expired", "sort": "name", "q": "EXP"}).text
    assert '<input type="hidden" name="state" value="expired">' in page
    assert 'href="?q=EXP&amp;state=disabled&amp;sort=name"' in page
    assert 'href="?q=EXP&amp;state=expired&amp;sort=-name"' in page


def test_what_is_chosen_is_said(cast: Cast) -> None:
    page = cast.client("viewer").get(URL, {"state": "disabled", "sort": "-used"}).text
    assert page.count('aria-current="true">Disabled</a>') == 1
    assert page.count('aria-sort="descending"') == 1


def test_a_state_that_nobody_is_in_says_so_and_leads_back(cast: Cast) -> None:
    RegistryUser.objects.filter(description="gone").delete()
    page = cast.client("viewer").get(URL, {"state": "disabled"}).text
    assert "No users in this state" in page
    assert f'href="{URL}">Show all users</a>' in page


@pytest.mark.parametrize("name", ["state", "sort"])
def test_a_strange_word_is_none_on_the_page_and_an_error_in_the_api(cast: Cast, name: str) -> None:
    assert len(on_page(cast, **{name: "password"})) == 5
    refused = caller_of(cast, "viewer").get(f"{API}?{name}=password")
    assert (refused.status_code, fields_of(refused)) == (400, {name})


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_see_nobody(cast: Cast, who: str) -> None:
    assert cast.client(who).get(URL, {"state": "disabled"}).status_code == (404 if who == "stranger" else 302)
    assert caller_of(cast, who).get(f"{API}?state=disabled").status_code == (
        404 if who == "stranger" else 401
    )
