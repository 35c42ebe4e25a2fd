"""The pages of namespaces, images, tags and permissions, each asked by the whole cast."""

from typing import Any

import pytest

from accounts.models import AuditEvent
from namespaces.access import Level
from namespaces.models import Grant, Namespace, ReservedName
from tests import factories
from tests.cast import MEMBERS, Cast

A = "/a/team-red/"
PAGES = [
    "images/", "n/team/", "n/team/permissions/", "n/team/settings/", "n/team/i/deep/app/",
    "n/team/i/deep/app/-/access/", "n/team/i/deep/app/-/compare/",
    "n/team/i/not/pushed/", "n/team/i/not/pushed/-/access/", "n/team/i/deep/app/-/tags/1.0/",
]  # fmt: skip
ABSENT = [
    "n/other/",
    "n/theirs/",
    "n/theirs/permissions/",
    "n/theirs/i/app/",
    "n/team/i/Not-legal/",
    "n/team/i/deep/app/-/tags/2.0/",
]


@pytest.fixture
def team(cast: Cast) -> Namespace:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    image = factories.ImageFactory(namespace=namespace, name="deep/app", tag_count=1, latest_tag="1.0")
    factories.TagFactory(image=image, name="1.0")
    made: Namespace = namespace
    return made


@pytest.fixture
def grant(cast: Cast, team: Namespace) -> Grant:
    user = factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl")
    made: Grant = factories.GrantFactory(user=user, namespace=team, level=Level.READ)
    return made


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_it(cast: Cast, team: Namespace, page: str, who: str) -> None:
    assert cast.client(who).get(A + page).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_finds_nothing_and_nobody_is_asked_to_sign_in(
    cast: Cast, team: Namespace, page: str
) -> None:
    assert cast.client("stranger").get(A + page).status_code == 404
    answer = cast.client("anonymous").get(A + page)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/me/login/")


@pytest.mark.parametrize("page", ABSENT)
def test_what_is_not_there_and_what_is_theirs_look_alike(cast: Cast, team: Namespace, page: str) -> None:
    assert cast.client("owner").get(A + page).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 302), ("manager", 302), ("viewer", 403), ("stranger", 404)]
)
def test_who_creates_a_namespace(cast: Cast, who: str, status: int) -> None:
    answer = cast.client(who).post(f"{A}namespaces/new/", {"name": "fresh"})
    assert answer.status_code == status
    assert Namespace.objects.filter(name="fresh").exists() is (status == 302)
    assert AuditEvent.objects.filter(action="namespace.created").exists() is (status == 302)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Team",
        "a/b",
        "a..b",
        "-a",
        "a_",
        "a___b",
        "é",
        "а",
        "x" * 61,
        "x" * 10_000,
        "library",
        "v2",
        "a\u200bb",
    ],
)
def test_a_name_that_cannot_be_is_refused_beside_its_field(cast: Cast, name: str) -> None:
    answer = cast.client("owner").post(f"{A}namespaces/new/", {"name": name})
    assert answer.status_code == 400
    assert answer.context["form"].errors["name"]
    assert not Namespace.objects.exists()
    assert cast.client("owner").post(f"{A}namespaces/new/", {"name": "good.name"}).status_code == 302


def test_a_taken_name_is_refused_and_says_nothing_of_whose_it_is(cast: Cast, team: Namespace) -> None:
    answer = cast.client("owner").post(f"{A}namespaces/new/", {"name": "theirs"})
    assert answer.status_code == 400
    assert "taken" in answer.context["form"].errors["name"][0]
    assert "elsewhere" not in answer.content.decode()


def test_a_namespace_with_tags_stays_and_an_empty_one_goes_leaving_its_name_to_its_account(
    cast: Cast, team: Namespace
) -> None:
    client = cast.client("owner")
    assert client.post(f"{A}n/team/delete/", {"confirm": "team"}).status_code == 400
    team.images.update(tag_count=0)
    assert client.post(f"{A}n/team/delete/", {"confirm": "wrong"}).status_code == 400
    assert client.post(f"{A}n/team/delete/", {"confirm": "team"}).status_code == 302
    assert not Namespace.objects.filter(name="team").exists()
    assert ReservedName.objects.get(name="team").account == cast.account
    ReservedName.objects.update(until="2020-01-01T00:00Z")
    other = cast.client("stranger").post("/a/elsewhere/namespaces/new/", {"name": "team"})
    assert other.status_code == 400
    assert "taken" in other.context["form"].errors["name"][0]
    assert "team-red" not in other.content.decode()
    assert client.post(f"{A}namespaces/new/", {"name": "team"}).status_code == 302


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 302), ("manager", 302), ("viewer", 403), ("stranger", 404)]
)
@pytest.mark.parametrize("act", ["give", "change", "remove", "publish"])
def test_who_manages_permissions(cast: Cast, grant: Grant, act: str, who: str, status: int) -> None:
    client = cast.client(who)
    answers: dict[str, Any] = {
        "give": lambda: client.post(
            f"{A}n/team/permissions/", {"user": "abcdefghijkl", "level": "write", "image_name": "new/one"}
        ),
        "change": lambda: client.post(f"{A}grants/levels/", {f"level-{grant.pk}-none": "admin"}),
        "remove": lambda: client.post(f"{A}grants/{grant.pk}/remove/"),
        "publish": lambda: client.post(f"{A}n/team/publish/", {"public": "yes"}),
    }
    before = list(Grant.objects.values_list("level", "image_name")), Namespace.objects.get(name="team").public
    assert answers[act]().status_code == status
    after = list(Grant.objects.values_list("level", "image_name")), Namespace.objects.get(name="team").public
    assert (before != after) is (status == 302)


def test_the_grant_of_another_account_is_absent(cast: Cast, grant: Grant) -> None:
    theirs = factories.GrantFactory(user__account=cast.elsewhere)
    client = cast.client("owner")
    assert client.post(f"{A}grants/{theirs.pk}/remove/").status_code == 404
    assert client.post(f"{A}grants/levels/", {f"level-{theirs.pk}-read": "admin"}).status_code == 404
    assert Grant.objects.filter(pk=theirs.pk, level=Level.READ).exists()
    stolen = client.post(f"{A}n/team/permissions/", {"user": theirs.user.username, "level": "admin"})
    assert stolen.status_code == 400
    assert not Grant.objects.filter(user=theirs.user, namespace__name="team").exists()


def test_the_same_permission_twice_is_refused_beside_its_field(cast: Cast, grant: Grant) -> None:
    answer = cast.client("owner").post(f"{A}n/team/permissions/", {"user": "abcdefghijkl", "level": "write"})
    assert answer.status_code == 400
    assert "already" in answer.context["form"].errors["user"][0]


def test_text_from_the_registry_is_shown_as_text(cast: Cast, team: Namespace) -> None:
    evil = "<script>alert(1)</script>"
    details = {
        "layers": [{"digest": "x", "size": 1, "media_type": evil, "command": evil}],
        "config": {"labels": {evil: evil}},
        "annotations": {"url": "javascript:alert(1)"},
    }
    manifest = factories.ManifestFactory(details=details)
    team.images.get().tags.update(manifest=manifest)
    for tab in ("layers", "configuration"):
        page = cast.client("owner").get(f"{A}n/team/i/deep/app/-/tags/1.0/?tab={tab}").content.decode()
        assert evil not in page
        assert "&lt;script&gt;" in page
        assert 'href="javascript' not in page


def test_200_rows_and_a_filter(cast: Cast, team: Namespace) -> None:
    factories.ImageFactory.create_batch(200, namespace=team, tag_count=1)
    first = cast.client("viewer").get(f"{A}n/team/")
    second = cast.client("viewer").get(f"{A}n/team/" + first.context["page"].next_url)
    seen = {image.id for page in (first, second) for image in page.context["page"].rows}
    assert len(seen) == 100
    found = cast.client("viewer").get(f"{A}n/team/?q=deep")
    assert [image.name for image in found.context["page"].rows] == ["deep/app"]


def test_the_counts_of_a_namespace(cast: Cast) -> None:
    team, empty = (factories.NamespaceFactory(account=cast.account, name=name) for name in ("aaa", "bbb"))
    user, other = factories.RegistryUserFactory.create_batch(2, account=cast.account)
    for name, tags in (("one", 1), ("two", 2), ("gone", 0)):
        factories.ImageFactory(namespace=team, name=name, tag_count=tags)
    for each, name in ((user, ""), (user, "one"), (other, "two")):
        factories.GrantFactory(namespace=team, user=each, image_name=name)
    found = {each.pk: each for each in cast.client("viewer").get(f"{A}images/").context["namespaces"]}
    assert (found[team.pk].image_count, found[team.pk].user_count) == (2, 2)
    assert (found[empty.pk].image_count, found[empty.pk].user_count) == (0, 0)
