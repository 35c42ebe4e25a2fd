"""Lists of permissions in any order: of a namespace, of an image and of a user."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from accounts.models import Denial, RegistryUser
from namespaces.access import Level
from namespaces.listing.grant_list import OF_IMAGE, OF_NAMESPACE, OF_USER
from namespaces.models import Grant, Namespace
from tests import factories
from tests.cast import MEMBERS, Cast

NAMESPACE, IMAGE = "/a/team-red/n/team/permissions/", "/a/team-red/n/team/i/app/-/access/"
NOW = timezone.now()


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def team(cast: Cast) -> Namespace:
    """Ada: write on all, the oldest. Ben: read on app, ended. Cleo: admin on app and read on all, the newest."""
    team: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    other = factories.NamespaceFactory(account=cast.account, name="other")
    ada, ben, cleo = (
        factories.RegistryUserFactory(account=cast.account, description=name, last_used_at=used)
        for name, used in (("Ada", ago(1)), ("ben", None), ("Cleo", ago(5)))
    )
    for user, namespace, image_name, level, given, ends in (
        (ada, team, "", Level.WRITE, ago(9), None),
        (ben, team, "app", Level.READ, ago(8), ago(1)),
        (cleo, team, "app", Level.ADMIN, ago(7), NOW + timedelta(days=3)),
        (cleo, team, "", Level.READ, ago(2), None),
        (cleo, other, "", Level.WRITE, ago(8), NOW + timedelta(days=1)),
    ):
        factories.GrantFactory(
            user=user,
            namespace=namespace,
            image_name=image_name,
            level=level,
            expires_at=ends,
            created_at=given,
        )
    return team


def on_namespace(cast: Cast, query: str = "", who: str = "viewer") -> list[str]:
    rows = cast.client(who).get(NAMESPACE + query).context["page"].rows
    return [f"{grant.user.description} {grant.image_name or '*'}" for grant in rows]


def on_image(cast: Cast, query: str = "", who: str = "viewer") -> list[str]:
    rows = cast.client(who).get(IMAGE + query).context["effective_access"]
    return [row.user.description for row in rows]


ADA, BEN, CLEO_APP, CLEO = "Ada *", "ben app", "Cleo app", "Cleo *"
BY_COLUMN = {
    "user": [ADA, BEN, CLEO_APP, CLEO],
    "on": [ADA, CLEO, BEN, CLEO_APP],
    "level": [BEN, CLEO, ADA, CLEO_APP],
    "ends": [BEN, CLEO_APP, ADA, CLEO],
    "used": [BEN, CLEO_APP, CLEO, ADA],
    "granted": [ADA, BEN, CLEO_APP, CLEO],
}


def test_there_is_a_case_for_each() -> None:
    assert sorted(OF_NAMESPACE) == sorted([*BY_COLUMN, *(f"-{name}" for name in BY_COLUMN)])


@pytest.mark.parametrize(("column", "found"), BY_COLUMN.items())
def test_of_a_namespace(cast: Cast, team: Namespace, column: str, found: list[str]) -> None:
    assert on_namespace(cast, f"?sort={column}") == found
    assert on_namespace(cast, f"?sort=-{column}") == found[::-1]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("level", ["ben", "Ada", "Cleo"]),  # an ended permission gives none
        ("through", ["Ada", "ben", "Cleo"]),
        ("granted", ["Ada", "ben", "Cleo"]),
        ("used", ["ben", "Cleo", "Ada"]),
    ],
)
def test_of_an_image(cast: Cast, team: Namespace, column: str, found: list[str]) -> None:
    assert on_image(cast, f"?sort={column}") == found
    assert on_image(cast, f"?sort=-{column}") == found[::-1]


def test_of_an_image_by_user_as_it_is_usual(cast: Cast, team: Namespace) -> None:
    assert on_image(cast) == on_image(cast, "?sort=-user")[::-1] == on_image(cast, "?sort=user")
    assert sorted(on_image(cast)) == ["Ada", "Cleo", "ben"]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("on", ["other", "team", "team/app"]),
        ("level", ["team", "other", "team/app"]),
        ("ends", ["other", "team/app", "team"]),
        ("granted", ["other", "team/app", "team"]),
    ],
)
def test_of_a_user(cast: Cast, team: Namespace, column: str, found: list[str]) -> None:
    url = RegistryUser.objects.get(description="Cleo").get_absolute_url()
    for way, expected in (("", found), ("-", found[::-1])):
        shown = cast.client("viewer").get(f"{url}?sort={way}{column}").context["grants"]
        assert [grant.target for grant in shown] == expected


@pytest.mark.parametrize("who", MEMBERS)
@pytest.mark.parametrize(
    "query", ["", "?sort=", "?sort=on", "?sort=none", "?sort=--user", "?sort=-", "?sort=%00"]
)
def test_a_strange_order_is_the_usual_one(cast: Cast, team: Namespace, who: str, query: str) -> None:
    assert on_namespace(cast, query, who) == BY_COLUMN["on"]
    assert on_image(cast, query, who) == on_image(cast, "", who)


@pytest.mark.parametrize("sort", OF_NAMESPACE)
def test_pages_of_a_namespace_neither_miss_nor_repeat(cast: Cast, team: Namespace, sort: str) -> None:
    _many(cast, team)
    assert _walk(cast, NAMESPACE, sort) == 120 + 4


@pytest.mark.parametrize("sort", OF_IMAGE)
def test_pages_of_an_image_neither_miss_nor_repeat(cast: Cast, team: Namespace, sort: str) -> None:
    _many(cast, team)
    assert _walk(cast, IMAGE, sort) == 120 + 3


def _many(cast: Cast, team: Namespace) -> None:
    users = RegistryUser.objects.bulk_create(
        RegistryUser(
            account=cast.account, username=f"u{n:011}", description=f"robot {n // 7}",
            last_used_at=NOW if n % 3 else None,
        )
        for n in range(120)
    )  # fmt: skip
    Grant.objects.bulk_create(
        Grant(user=user, namespace=team, level=n % 3 + 1, image_name="app" if n % 2 else "",
              expires_at=NOW + timedelta(days=1) if n % 5 else None, created_at=NOW)
        for n, user in enumerate(users)
    )  # fmt: skip


def _walk(cast: Cast, path: str, sort: str) -> int:
    client, url, seen, previous = cast.client("viewer"), f"{path}?sort={sort}", [], []
    while url:
        page = client.get(url).context["page"]
        previous.append([row.pk for row in page.rows])
        seen += previous[-1]
        url = path + page.next_url if page.next_url else ""
    assert len(seen) == len(set(seen))
    back = client.get(path + page.previous_url).context["page"]
    assert [row.pk for row in back.rows] == previous[-2]
    return len(seen)


def test_order_filter_and_state_go_together(cast: Cast, team: Namespace) -> None:
    page = cast.client("viewer").get(NAMESPACE, {"q": "cleo", "state": "ending", "sort": "-level"}).text
    assert 'href="?q=cleo&amp;state=ended&amp;sort=-level"' in page
    assert 'href="?q=cleo&amp;state=ending&amp;sort=level"' in page
    assert 'href="?q=cleo&amp;state=ending"' in page  # the usual order: by what it is on
    assert '<option value="-level" selected>Highest level first</option>' in page
    assert page.count('aria-sort="descending"') == 1
    assert on_namespace(cast, "?q=cleo&sort=-level") == [CLEO_APP, CLEO]


def test_the_pages_of_denials_and_the_order_of_permissions_keep_each_other(
    cast: Cast, team: Namespace
) -> None:
    user = RegistryUser.objects.get(description="Cleo")
    for number in range(11):
        at = ago(number)
        Denial.objects.create(user=user, repository=f"team/{number}", reason="r", first_at=at, last_at=at)
    client, url = cast.client("owner"), user.get_absolute_url()
    first = client.get(f"{url}?sort=-level")
    following = first.context["page"].next_url
    assert following.startswith("?sort=-level&page=")
    second = client.get(url + following).text
    cursor = following.partition("page=")[2]
    assert f'href="?page={cursor}&amp;sort=level"' in second


@pytest.mark.parametrize("path", [NAMESPACE, IMAGE])
def test_saving_levels_leads_back_to_the_same_page_in_the_same_order(
    cast: Cast, team: Namespace, path: str
) -> None:
    at = f"{path}?sort=-used"
    client = cast.client("owner")
    page = client.get(at).text
    assert f'<input type="hidden" name="next" value="{at}">' in page
    assert f"next={quote(at, safe='')}" in page
    grant = Grant.objects.get(level=Level.ADMIN)
    saved = client.post("/a/team-red/grants/levels/", {f"level-{grant.pk}-admin": "admin", "next": at})
    assert saved.url == at


def test_when_it_was_granted_is_shown(cast: Cast, team: Namespace) -> None:
    client = cast.client("viewer")
    for path in (NAMESPACE, IMAGE):
        assert (
            f'granted <time class="text-nowrap" datetime="{ago(9).isoformat()[:10]}' in client.get(path).text
        )
    page = client.get(RegistryUser.objects.get(description="Cleo").get_absolute_url()).text
    assert '<td data-label="Granted">' in page
    assert sorted(OF_USER)[:2] == ["-ends", "-granted"]
