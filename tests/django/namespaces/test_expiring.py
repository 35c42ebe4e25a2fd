"""What expires soon is said where people come first, in lists and in the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories
from tests.cast import Cast
from tests.django.api.world import caller_of

HOME = "/a/team-red/images/"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def users(cast: Cast) -> None:
    now = timezone.now()
    for days, disabled in ((-1, None), (1, None), (29, None), (31, None), (3, now), (None, None)):
        factories.RegistryUserFactory(
            account=cast.account,
            description=f"ends in {days}",
            expires_at=None if days is None else now + days * DAY,
            disabled_at=disabled,
        )
    factories.RegistryUserFactory(account=cast.elsewhere, expires_at=now + DAY)


@pytest.mark.parametrize("who", ["owner", "manager", "viewer"])
def test_the_first_page_says_how_many(cast: Cast, who: str) -> None:
    page = cast.client(who).get(HOME).content.decode()
    assert '<a href="/a/team-red/users/?state=expiring">2 users expire within 30 days.</a>' in page


def test_it_says_nothing_where_none_does(cast: Cast) -> None:
    type(cast.account.users.get(description="ends in 1")).objects.filter(account=cast.account).update(
        expires_at=None
    )
    assert "within 30 days" not in cast.client("owner").get(HOME).content.decode()


def test_it_is_for_members(cast: Cast) -> None:
    assert cast.client("stranger").get(HOME).status_code == 404
    assert cast.client("anonymous").get(HOME).status_code == 302
    type(cast.account).objects.filter(pk=cast.account.pk).update(closed_at=timezone.now())
    assert cast.client("owner").get(HOME).status_code == 404


def test_the_list_and_the_api_agree(cast: Cast) -> None:
    found = {"ends in 1", "ends in 29"}
    rows = cast.client("viewer").get("/a/team-red/users/?state=expiring").context["rows"]
    assert {row["user"].description for row in rows} == found
    results = caller_of(cast, "viewer").get("accounts/team-red/users/").json()["results"]
    assert {each["description"] for each in results if each["expires_soon"]} == found
