"""Pushes, pulls and denied requests in /a/<handle>/activity/, beside the changes, and where its lines lead."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils.html import strip_tags

from accounts.models import Denial, RegistryUser
from accounts.services import users
from namespaces.models import Grant, Image, PullStats, TagHistoryEntry
from namespaces.models.tag import NEVER
from namespaces.services import grants, namespaces
from tests import factories
from tests.cast import Cast

URL = "/a/team-red/activity/"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def image(cast: Cast, user: RegistryUser) -> Image:
    """Pushed, moved, pulled by its user and by nobody signed in, deleted; and denied, an hour each."""
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    image = factories.ImageFactory(namespace=namespace, name="api")
    add_history(image, user, START)
    add_history(factories.ImageFactory(), factories.RegistryUserFactory(), START)  # of somebody else
    return image


def add_history(image: Image, user: RegistryUser, start: datetime) -> None:
    def at(hours: int) -> datetime:
        return start + timedelta(hours=hours)

    first, second = factories.digest_of("first"), factories.digest_of("second")
    rows = [
        ("", first, "event", 0),
        (first, second, "event", 1),
        (second, "", "event", 5),
        ("", first, "panel", 6),
    ]
    TagHistoryEntry.objects.bulk_create(
        TagHistoryEntry(image=image, tag="1.0", old=old, new=new, how=how, by=user.username, at=at(hour))
        for old, new, how, hour in rows
    )
    PullStats.objects.bulk_create(
        PullStats(image=image, tag=tag, username=name, count=count, last_at=last_at, digest=second,
                  address="192.0.2.44", client="docker/27.5.1")
        for tag, name, count, last_at in [
            ("1.0", user.username, 812, at(2)), ("", "", 1, at(3)), ("2.0", user.username, 0, NEVER),
        ]
    )  # fmt: skip
    Denial.objects.create(
        user=user, repository=image.repository, action="push", reason="push needs write; it has read",
        remedy="Give it write.", count=3, first_at=at(0), last_at=at(4), address="192.0.2.9", client="buildkit/0.2",
    )  # fmt: skip


def lines(cast: Cast, query: str) -> list[str]:
    """Return what happened in each row, as text."""
    page = cast.client("viewer").get(f"{URL}?{query}").content.decode()
    rows = re.findall(r'<td class="text-break"><div>(.*?)<details>', page, re.DOTALL)
    return [
        " ".join(strip_tags(row.replace('<span class="d-block', ' <span class="d-block')).split())
        for row in rows
    ]


PUSHES = [
    "CI deploy deleted with a client: team/api:1.0",
    "CI deploy pushed team/api:1.0",
    "CI deploy pushed team/api:1.0",
]
PULLS = [
    f"anonymous pulled team/api@{factories.digest_of('second')[7:19]}",
    "CI deploy pulled team/api:1.0 812×",
]
DENIALS = ["CI deploy was denied the push to team/api 3× push needs write; it has read"]


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=pushes", PUSHES),
        ("kind=pulls", PULLS),
        ("kind=denials", DENIALS),
        ("kind=requests", [PUSHES[0], *DENIALS, *PULLS, *PUSHES[1:]]),
        ("kind=requests&who=ci+dep", [PUSHES[0], *DENIALS, PULLS[1], *PUSHES[1:]]),
        ("kind=requests&who=nobody", []),
        ("kind=pushes&who=nobody", []),
        ("kind=requests&q=team/api:1.0", [PUSHES[0], PULLS[1], *PUSHES[1:]]),
        ("kind=denials&q=TEAM/API", DENIALS),
        ("kind=denials&q=nothing", []),
        ("kind=requests&since=2026-03-02", []),
        ("kind=pulls&until=2026-03-01&zone=UTC", PULLS),
        ("", []),
    ],
)  # fmt: skip
def test_requests_are_shown_where_they_are_asked_for(cast: Cast, query: str, shown: list[str]) -> None:
    assert lines(cast, query) == shown


def test_they_stand_among_the_changes_by_their_time(cast: Cast, image: Image) -> None:
    users.create(by=cast.by("owner"), account=cast.account, description="Newer", expires_at=None)
    shown = lines(cast, "kind=all")
    assert shown[0].startswith("owner@example.com created the user Newer")
    assert shown[1:] == [PUSHES[0], *DENIALS, *PULLS, *PUSHES[1:]]


def test_one_list_of_four_tables_is_paged_without_gap_and_in_both_directions(
    cast: Cast, image: Image
) -> None:
    user = RegistryUser.objects.get(description="CI deploy")
    for number in range(40):  # every moment is in several tables, and several times in one
        start = START + timedelta(hours=number // 4)
        name = f"img{number}"
        add_history(factories.ImageFactory(namespace=image.namespace, name=name), user, start)
    client, url, seen = cast.client("viewer"), f"{URL}?kind=all", []
    while True:
        page = client.get(url).context["page"]
        seen.append([(row._meta.model_name, row.pk) for row in page.rows])
        if not page.next_url:
            break
        url = URL + page.next_url
    flat = [each for rows in seen for each in rows]
    assert len(flat) == len(set(flat)) == 41 * 6
    back = client.get(URL + page.previous_url).context["page"]
    assert [(row._meta.model_name, row.pk) for row in back.rows] == seen[-2]


def test_lines_lead_to_what_is_there(cast: Cast, image: Image, user: RegistryUser) -> None:
    by = cast.by("owner")
    grant = grants.give(by=by, user=user, namespace=image.namespace, image_name="api", level="read")
    grants.give(by=by, user=user, namespace=image.namespace, image_name="", level="write")
    grants.change(by=by, grant=Grant.objects.get(pk=grant.pk), level="admin", expires_at=None)
    page = cast.client("viewer").get(f"{URL}?kind=permissions").content.decode()
    for link in (
        f'href="/a/team-red/users/{user.username}/">CI deploy ({user.username})</a>',
        'href="/a/team-red/n/team/i/api/">team/api</a>',
        'href="/a/team-red/n/team/">team</a>',
        'href="/a/team-red/n/team/permissions/">write</a>',
        'href="/a/team-red/n/team/i/api/-/access/">read → admin</a>',
    ):
        assert link in page
    page = cast.client("viewer").get(f"{URL}?kind=requests").content.decode()
    assert f'href="/a/team-red/users/{user.username}/">CI deploy</a>' in page
    assert 'href="/a/team-red/n/team/i/api/">team/api:1.0</a>' in page


def test_what_is_gone_or_somebody_elses_is_plain_text(cast: Cast) -> None:
    by = cast.by("owner")
    namespace = namespaces.create(by=by, account=cast.account, name="brief")
    user, _password = users.create(by=by, account=cast.account, description="Brief", expires_at=None)
    grants.give(by=by, user=user, namespace=namespace, image_name="not/pushed", level="read")
    users.delete(by=by, user=user)
    namespaces.delete(by=by, namespace=namespace, confirmation="brief")
    factories.NamespaceFactory(account=cast.elsewhere, name="brief2")
    page = cast.client("viewer").get(URL).content.decode()
    assert f"Brief ({user.username})</span> on" in page
    assert "brief/not/pushed</span>" in page
    assert "/n/brief" not in page
    assert f"/users/{user.username}" not in page


def test_the_exact_time_is_text_and_not_only_a_title(cast: Cast, image: Image) -> None:
    page = cast.client("viewer").get(f"{URL}?kind=denials").content.decode()
    details = page.partition("<details>")[2].partition("</details>")[0]
    assert "<dt>exact time</dt><dd>1 Mar 2026, 16:00:00 UTC</dd>" in details
    assert "<dt>client</dt><dd>buildkit/0.2</dd>" in details
    assert "Give it write." in details
