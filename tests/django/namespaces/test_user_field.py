"""The field that names a user: on a namespace's and an image's permissions, and what it suggests."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import RegistryUser
from namespaces.models import Grant, Namespace
from tests import factories
from tests.cast import Cast

PERMISSIONS = "/a/team-red/n/team/permissions/"
ACCESS = "/a/team-red/n/team/i/app/-/access/"
SUGGESTIONS = "/a/team-red/users/suggestions/"
PAGES = pytest.mark.parametrize("page", [PERMISSIONS, ACCESS])


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    factories.NamespaceFactory(account=cast.account, name="team")
    factories.RegistryUserFactory(account=cast.account, description="Laptop", username="mnopqrstuvwx")
    factories.RegistryUserFactory(account=cast.elsewhere, description="Foreign", username="foreignforei")
    user: RegistryUser = factories.RegistryUserFactory(
        account=cast.account, description="CI deploy", username="abcdefghijkl"
    )
    return user


@PAGES
@pytest.mark.parametrize(
    "typed",
    ["abcdefghijkl", " ABCDEFGHIJKL ", "CI deploy", "ci DEPLOY", "CI deploy (abcdefghijkl)"],
)
def test_it_takes_a_username_a_description_or_what_was_suggested(
    cast: Cast, user: RegistryUser, page: str, typed: str
) -> None:
    answer = cast.client("manager").post(page, {"user": typed, "level": "write"})
    assert answer.status_code == 302
    assert Grant.objects.get().user == user


@PAGES
@pytest.mark.parametrize(
    "typed",
    [
        "nobody", "CI", "foreignforei", "Foreign", "Foreign (foreignforei)", "Laptop (abcdefghijkl)", "a\0b",
        "x" * 300, "%", "_bcdefghijkl", "(abcdefghijkl)",
    ],
)  # fmt: skip
def test_a_name_that_is_no_users_is_said_at_the_field_and_nothing_is_lost(
    cast: Cast, user: RegistryUser, page: str, typed: str
) -> None:
    form = {"user": typed, "level": "admin", "image_name": "some/image"}
    answer = cast.client("manager").post(page, form)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["user"]
    assert answer.context["form"]["user"].value() == typed
    assert 'id="id_user_error"' in answer.text
    assert '<option value="admin" selected>' in answer.text
    assert ('value="some/image"' in answer.text) is (page == PERMISSIONS)
    assert not Grant.objects.exists()


def test_a_description_that_several_have_is_not_guessed_at(cast: Cast, user: RegistryUser) -> None:
    other = factories.RegistryUserFactory(account=cast.account, description="ci deploy")
    client = cast.client("owner")
    assert client.post(PERMISSIONS, {"user": "ci deploy", "level": "read"}).status_code == 302
    assert Grant.objects.get().user == other  # written exactly so
    answer = client.post(PERMISSIONS, {"user": "CI DEPLOY", "level": "read"})
    assert "Several users have this description." in answer.text
    assert Grant.objects.count() == 1


def test_a_username_wins_over_a_description_that_looks_like_it(cast: Cast, user: RegistryUser) -> None:
    factories.RegistryUserFactory(account=cast.account, description="abcdefghijkl")
    cast.client("owner").post(PERMISSIONS, {"user": "abcdefghijkl", "level": "read"})
    assert Grant.objects.get().user == user


@PAGES
def test_2000_users_make_no_page_larger(cast: Cast, user: RegistryUser, page: str) -> None:
    client = cast.client("owner")
    many = [
        RegistryUser(account=cast.account, username=f"u{n:011}", description=f"A robot {n:04}")
        for n in range(2000)
    ]
    RegistryUser.objects.bulk_create(many[:20])
    few = len(client.get(page).content)
    RegistryUser.objects.bulk_create(many[20:])
    assert len(client.get(page).content) == few
    assert client.get(page).text.count("<option value=") < 30
    assert client.post(page, {"user": "A robot 1999", "level": "read"}).status_code == 302


def suggested(cast: Cast, typed: str, who: str = "owner") -> list[str]:
    answer = cast.client(who).get(SUGGESTIONS, {"user": typed})
    assert answer.status_code == 200
    return [label for _user, label in answer.context["users"]]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["CI deploy (abcdefghijkl)", "Laptop (mnopqrstuvwx)"]),
        ("  dEPl", ["CI deploy (abcdefghijkl)"]),
        ("MNOP", ["Laptop (mnopqrstuvwx)"]),
        ("CI deploy (abcdefghijkl)", ["CI deploy (abcdefghijkl)"]),
        ("Foreign", []),
        ("foreignforei", []),
        ("Foreign (foreignforei)", []),
        ("%", []),
    ],
)
def test_what_is_suggested(cast: Cast, user: RegistryUser, typed: str, found: list[str]) -> None:
    assert suggested(cast, typed) == found


@pytest.mark.parametrize(
    ("page", "name"), [(PERMISSIONS, "user"), (ACCESS, "user"), ("/a/team-red/users/new/", "like")]
)
def test_each_field_is_wired_and_asks_by_its_own_name(
    cast: Cast, user: RegistryUser, page: str, name: str
) -> None:
    client = cast.client("owner")
    text = client.get(page).text
    asks = f"{SUGGESTIONS}?field={name}"
    assert "suggestions.js" in text
    assert f'hx-get="{asks}"' in text
    found = client.get(asks, {"field": name, name: "dEPl"}).context["users"]
    assert [each for each, _label in found] == [user]


def test_it_suggests_no_more_than_one_reads(cast: Cast, user: RegistryUser) -> None:
    RegistryUser.objects.bulk_create(
        RegistryUser(account=cast.account, username=f"u{n:011}", description=f"robot {n:04}")
        for n in range(2000)
    )
    client = cast.client("owner")
    client.get(SUGGESTIONS)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(SUGGESTIONS, {"user": "robot"})
    assert answer.text.count('role="option"') == 20
    assert "Only the first 20 are shown." in answer.text
    assert len([each for each in asked if "registryuser" in each["sql"]]) == 1
    assert "1 user matches." in client.get(SUGGESTIONS, {"user": "robot 0007"}).text
    assert "No user matches." in client.get(SUGGESTIONS, {"user": "none"}).text


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("manager", 200), ("viewer", 200), ("stranger", 404), ("anonymous", 302)],
)
def test_who_may_see_users_is_told(cast: Cast, user: RegistryUser, who: str, status: int) -> None:
    answer = cast.client(who).get(SUGGESTIONS)
    assert answer.status_code == status
    assert ("CI deploy" in answer.text) is (status == 200)
    assert ("suggestions.js" in cast.client(who).get(PERMISSIONS).text) is (who in ("owner", "manager"))
    assert ("suggestions.js" in cast.client(who).get("/a/team-red/access/check/").text) is (status == 200)


def test_what_users_are_called_stays_text(cast: Cast, user: RegistryUser) -> None:
    user.description = '"><script>alert(1)</script>'
    user.save()
    client = cast.client("owner")
    for page in (SUGGESTIONS, PERMISSIONS, ACCESS):
        assert "<script>alert" not in client.get(page).text
    assert "<script>alert" not in client.post(PERMISSIONS, {"user": '"><script>alert(2)</script>'}).text


def test_without_users_it_is_empty(cast: Cast) -> None:
    namespace: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    assert namespace.pk
    assert suggested(cast, "x") == []
