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
    text = "2 users, or their last passwords, expire within 30 days."
    assert f'<a href="/a/team-red/users/?state=expiring">{text}</a>' in page


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


@pytest.mark.parametrize(
    ("of_passwords", "soon"),
    [
        ([{"expires_at": 3}], True),
        ([{"retires_at": 3}], True),
        ([{"expires_at": 3}, {"expires_at": 9}], True),
        ([{"expires_at": 3}, {}], False),
        ([{"expires_at": 31}], False),
        ([{"expires_at": -1}], False),  # none works, and nothing ends
        ([{"retires_at": 3, "retire_after_unused_days": 7}], False),  # use keeps it
        ([{"expires_at": 3, "retires_at": 3, "retire_after_unused_days": 7}], True),
    ],
)
def test_the_last_password_that_works_counts(
    cast: Cast, of_passwords: list[dict[str, int]], soon: bool
) -> None:
    now = timezone.now()
    user = factories.RegistryUserFactory(account=cast.account, description="robot", expires_at=None)
    user.secrets.all().delete()
    for number, ends in enumerate(of_passwords):
        moments = {name: now + n * DAY for name, n in ends.items() if name.endswith("_at")}
        days = {name: n for name, n in ends.items() if not name.endswith("_at")}
        user.secrets.create(digest=str(number), pepper_version=1, hint="x", **moments, **days)
    assert type(user).objects.get(pk=user.pk).expires_soon == soon
    rows = cast.client("viewer").get("/a/team-red/users/").context["rows"]
    badges = {row["user"].description: str(row["state"].text) for row in rows}
    assert (badges["robot"] == "password ends soon") == soon
    rows = cast.client("viewer").get("/a/team-red/users/?state=expiring").context["rows"]
    assert ("robot" in {row["user"].description for row in rows}) == soon
    results = caller_of(cast, "viewer").get("accounts/team-red/users/").json()["results"]
    assert {each["description"]: each["expires_soon"] for each in results}["robot"] == soon
    page = cast.client("viewer").get(HOME).content.decode()
    assert f"{2 + soon} users, or their last passwords, expire" in page


def test_the_first_page_says_where_permissions_end_soon(cast: Cast) -> None:
    now, user = timezone.now(), cast.account.users.get(description="ends in None")
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    for days, image in ((3, "a"), (40, "b"), (-1, "c")):
        factories.GrantFactory(user=user, namespace=namespace, image_name=image, expires_at=now + days * DAY)
    factories.GrantFactory(
        user=cast.account.users.get(description="ends in 3"), namespace=namespace, expires_at=now + DAY
    )  # it is disabled
    page = " ".join(cast.client("viewer").get(HOME).content.decode().split())
    link = "/a/team-red/n/team/permissions/?state=ending"
    assert f'<a href="{link}">1 permission in team ends within 30 days.</a>' in page
