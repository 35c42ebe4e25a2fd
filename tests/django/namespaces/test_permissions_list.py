"""GET /a/…/n/NAMESPACE/permissions/: the list, in pages and filtered."""

import pytest

from accounts.models import RegistryUser
from namespaces.models import Grant, Namespace
from tests import factories
from tests.cast import MEMBERS, Cast

PAGE = "/a/team-red/n/team/permissions/"


@pytest.fixture
def team(cast: Cast) -> Namespace:
    team: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(
        account=cast.account, description="CI deploy", username="abcdefghijkl"
    )
    other = factories.RegistryUserFactory(account=cast.account, description="Laptop", username="mnopqrstuvwx")
    factories.GrantFactory(user=other, namespace=team, image_name="deep/app")
    factories.GrantFactory(user=user, namespace=team)
    factories.GrantFactory(user=user, namespace__account=cast.account, namespace__name="other")
    return team


def shown(cast: Cast, who: str = "viewer", query: str = "") -> list[str]:
    answer = cast.client(who).get(PAGE + query)
    assert answer.status_code == 200
    return [f"{grant.user.description} on {grant.target}" for grant in answer.context["page"].rows]


@pytest.mark.parametrize("who", MEMBERS)
def test_those_on_the_whole_namespace_first(cast: Cast, team: Namespace, who: str) -> None:
    assert shown(cast, who) == ["CI deploy on team", "Laptop on team/deep/app"]


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_others_see_none(cast: Cast, team: Namespace, who: str, status: int) -> None:
    assert cast.client(who).get(PAGE).status_code == status


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=CI", ["CI deploy on team"]),
        ("?q=mnop", ["Laptop on team/deep/app"]),
        ("?q=EEP/A", ["Laptop on team/deep/app"]),
        ("?q=team", []),
        ("?q=%25", []),
        ("?q=", ["CI deploy on team", "Laptop on team/deep/app"]),
    ],
)
def test_filtered_by_user_or_image(cast: Cast, team: Namespace, query: str, found: list[str]) -> None:
    assert shown(cast, query=query) == found


def test_what_matches_nothing_is_not_nobody(cast: Cast, team: Namespace) -> None:
    client = cast.client("viewer")
    assert "Nothing matches “foo”" in client.get(PAGE, {"q": "foo"}).content.decode()
    Grant.objects.all().delete()
    page = client.get(PAGE).content.decode()
    assert "No user has access to this namespace yet" in page
    assert "Filter by user or image" not in page


def test_200_are_paged(cast: Cast, team: Namespace) -> None:
    users = RegistryUser.objects.bulk_create(
        RegistryUser(account=cast.account, username=f"u{number:011}", description="robot")
        for number in range(120)
    )
    Grant.objects.bulk_create(Grant(user=user, namespace=team, level=1) for user in users)
    client, url, seen = cast.client("viewer"), PAGE + "?q=robot", []
    while url:
        page = client.get(url).context["page"]
        seen += [grant.user.username for grant in page.rows]
        url = PAGE + page.next_url if page.next_url else ""
    assert seen == [user.username for user in users]


def test_200_that_reach_an_image_are_paged_by_user(cast: Cast, team: Namespace) -> None:
    users = RegistryUser.objects.bulk_create(
        RegistryUser(account=cast.account, username=f"u{number:011}", description="robot")
        for number in range(60)
    )
    Grant.objects.bulk_create(
        Grant(user=user, namespace=team, level=level, image_name=name)
        for user in users
        for level, name in ((1, ""), (2, "deep/app"), (3, "another"))
    )
    url, address, seen = "/a/team-red/n/team/i/deep/app/-/access/", "", []
    while address is not None:
        context = cast.client("viewer").get(url + address).context
        seen += [
            (reach.user.username, reach.verdict.level, len(reach.grants))
            for reach in context["effective_access"]
        ]
        address = context["page"].next_url or None
    assert seen == [
        ("abcdefghijkl", 1, 1),
        ("mnopqrstuvwx", 1, 1),
        *((user.username, 2, 2) for user in users),
    ]
