"""POST /a/<handle>/grants/levels/, and the lists of grants that it belongs to."""

import pytest

from accounts.models import AuditEvent
from namespaces.access import Level
from namespaces.models import Grant
from tests import factories
from tests.cast import Cast

URL = "/a/team-red/grants/levels/"


@pytest.fixture
def grants(cast: Cast) -> list[Grant]:
    """Read on a namespace, and write on two images of it."""
    namespace = factories.NamespaceFactory(account=cast.account, name="red")
    user = factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl", description="CI")
    return [
        factories.GrantFactory(user=user, namespace=namespace, level=level, image_name=name)
        for level, name in [(Level.READ, ""), (Level.WRITE, "app"), (Level.WRITE, "web")]
    ]


def levels(grants: list[Grant]) -> list[int]:
    return [Grant.objects.get(pk=grant.pk).level for grant in grants]


def field(grant: Grant, shown: str = "") -> str:
    return f"level-{grant.pk}-{shown or grant.word}"


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_one_save_for_all(cast: Cast, grants: list[Grant], who: str) -> None:
    form = {
        field(grants[0]): "admin",
        field(grants[1]): "write",
        field(grants[2]): "read",
        "next": "/a/team-red/users/",
    }
    answer = cast.client(who).post(URL, form, follow=True)
    assert answer.redirect_chain == [("/a/team-red/users/", 302)]
    assert "2 permissions changed." in answer.text
    assert levels(grants) == [Level.ADMIN, Level.WRITE, Level.READ]
    events = AuditEvent.objects.order_by("id").values_list("action", "before", "after")
    assert list(events) == [
        ("grant.changed", {"level": "read"}, {"level": "admin"}),
        ("grant.changed", {"level": "write"}, {"level": "read"}),
    ]


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("anonymous", 302)])
def test_others_save_nothing(cast: Cast, grants: list[Grant], who: str, status: int) -> None:
    assert cast.client(who).post(URL, {field(grants[0]): "admin"}).status_code == status
    assert levels(grants) == [Level.READ, Level.WRITE, Level.WRITE]


def test_what_somebody_else_changed_meanwhile_is_not_changed_back(cast: Cast, grants: list[Grant]) -> None:
    form = {field(grants[0]): "read", field(grants[1]): "admin"}
    Grant.objects.filter(pk=grants[0].pk).update(level=Level.ADMIN)
    cast.client("owner").post(URL, form)
    assert levels(grants) == [Level.ADMIN, Level.ADMIN, Level.WRITE]


@pytest.mark.parametrize("level", ["", "none", "root", "3"])
def test_with_one_bad_level_nothing_is_saved(cast: Cast, grants: list[Grant], level: str) -> None:
    refused = cast.client("owner").post(URL, {field(grants[0]): "admin", field(grants[1]): level})
    assert refused.status_code == 400
    assert levels(grants) == [Level.READ, Level.WRITE, Level.WRITE]
    assert not AuditEvent.objects.exists()


def test_with_one_of_another_account_or_gone_nothing_is_saved(cast: Cast, grants: list[Grant]) -> None:
    theirs, client = factories.GrantFactory(user__account=cast.elsewhere), cast.client("owner")
    for other in (field(theirs), "level-999999999999999999-read"):
        assert client.post(URL, {field(grants[0]): "admin", other: "admin"}).status_code == 404
    assert levels([*grants, theirs]) == [Level.READ, Level.WRITE, Level.WRITE, Level.READ]


@pytest.mark.parametrize(
    "name", ["level-x-read", "level-1", "level--read", f"level-{'9' * 30}-read", "level-1-READ"]
)
def test_what_is_no_field_of_it_changes_nothing(cast: Cast, grants: list[Grant], name: str) -> None:
    answer = cast.client("owner").post(URL, {name: "admin"}, follow=True)
    assert "No level was changed." in answer.text
    assert levels(grants) == [Level.READ, Level.WRITE, Level.WRITE]


@pytest.mark.parametrize(
    ("page", "shown"), [("n/red/permissions/", 3), ("users/abcdefghijkl/", 3), ("n/red/i/app/-/access/", 1)]
)
def test_each_list_has_a_select_a_row_and_one_button(
    cast: Cast, grants: list[Grant], page: str, shown: int
) -> None:
    html = cast.client("manager").get(f"/a/team-red/{page}").text
    assert html.count('form="levels"') == shown
    assert html.count(f'action="{URL}"') == 1
    assert f'name="{field(grants[1])}"' in html
    assert 'aria-label="Level of CI"' in html
    html = cast.client("viewer").get(f"/a/team-red/{page}").text
    assert "levels" not in html


def test_where_no_level_can_be_changed_there_is_no_button(cast: Cast, grants: list[Grant]) -> None:
    assert URL not in cast.client("owner").get("/a/team-red/n/red/i/other/-/access/").text


def test_it_takes_only_post(cast: Cast) -> None:
    assert cast.client("owner").get(URL).status_code == 405
