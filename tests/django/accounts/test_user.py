"""GET /a/<handle>/users/<username>/ and its first-use line"""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Denial, RegistryUser
from tests import factories
from tests.cast import MEMBERS, Cast


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_the_facts(cast: Cast, user: RegistryUser, who: str) -> None:
    page = cast.client(who).get(user.get_absolute_url()).content.decode()
    assert "CI deploy" in page
    assert "What this user can do" in page
    assert user.password not in page


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("manager", True), ("viewer", False)])
def test_only_those_who_may_see_the_forms(cast: Cast, user: RegistryUser, who: str, may: bool) -> None:
    page = cast.client(who).get(user.get_absolute_url()).content.decode()
    assert (f"{user.username}/password/" in page) is may
    assert (f"{user.username}/grants/" in page) is may
    assert ("Viewers can’t" in page) is not may


def test_what_it_may_do_is_there_without_a_second_request(cast: Cast, user: RegistryUser) -> None:
    factories.GrantFactory(user=user, namespace=factories.NamespaceFactory(account=cast.account, name="team"))
    assert "/n/team/permissions/" in cast.client("viewer").get(user.get_absolute_url()).content.decode()


def test_a_permission_is_given_from_here(cast: Cast, user: RegistryUser) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    url = f"{user.get_absolute_url()}grants/"
    wish = {"namespace": "team", "level": "write", "image_name": "api"}
    assert cast.client("viewer").post(url, wish).status_code == 403
    assert cast.client("stranger").post(url, wish).status_code == 404
    assert not user.grants.exists()
    assert cast.client("manager").post(url, wish).url == user.get_absolute_url()
    assert user.grants.get().target == "team/api"


def test_a_wrong_permission_is_said_beside_its_field(cast: Cast, user: RegistryUser) -> None:
    answer = cast.client("owner").post(
        f"{user.get_absolute_url()}grants/", {"namespace": "", "level": "read"}
    )
    assert answer.status_code == 400
    assert list(answer.context["grant_form"].errors) == ["namespace"]


def test_a_stranger_finds_nothing(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("stranger").get(user.get_absolute_url()).status_code == 404


def test_anonymous_must_sign_in(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("anonymous").get(user.get_absolute_url()).status_code == 302


def test_another_accounts_user_is_not_here(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client("owner").get(f"/a/team-red/users/{other.username}/").status_code == 404


def test_an_unknown_user_is_not_here(cast: Cast) -> None:
    assert cast.client("owner").get("/a/team-red/users/nobody/").status_code == 404


def test_it_rejects_post(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("owner").post(user.get_absolute_url()).status_code == 405


def test_first_use_waits_and_asks_again(cast: Cast, user: RegistryUser) -> None:
    answer = cast.client("viewer").get(f"{user.get_absolute_url()}first-use/")
    assert "Waiting for first use" in answer.content.decode()
    assert "data-live" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_first_use_tells_from_where_and_goes_on_asking(cast: Cast, user: RegistryUser) -> None:
    factories.use_newest_password(user, timezone.now() + timedelta(seconds=1))
    page = cast.client("viewer").get(f"{user.get_absolute_url()}first-use/").content.decode()
    assert "10.0.0.5" in page
    assert "docker/27" in page
    assert 'hx-trigger="ask"' in page


def test_a_use_of_the_old_password_is_no_first_use(cast: Cast, user: RegistryUser) -> None:
    factories.use_newest_password(user, timezone.now() - timedelta(hours=1))
    factories.add_password(user)
    assert b"Waiting" in cast.client("viewer").get(f"{user.get_absolute_url()}first-use/").content


def test_first_use_is_not_for_strangers(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("stranger").get(f"{user.get_absolute_url()}first-use/").status_code == 404


@pytest.mark.parametrize("page", ["users/{user}/", "n/team/permissions/", "n/team/i/api/-/access/"])
def test_the_list_of_denied_requests_has_heads_of_its_own(cast: Cast, user: RegistryUser, page: str) -> None:
    """The list of permissions on the same page has heads that sort."""
    now = timezone.now()
    image = factories.ImageFactory(
        namespace=factories.NamespaceFactory(account=cast.account, name="team"), name="api"
    )
    factories.GrantFactory(user=user, namespace=image.namespace)
    Denial.objects.create(
        user=user,
        repository="team/api",
        action="push",
        reason="No.",
        remedy="Ask.",
        first_at=now,
        last_at=now,
    )
    answer = cast.client("owner").get(f"/a/team-red/{page.format(user=user.username)}")
    before, why, after = answer.content.decode().partition(
        '<th scope="col">Why, and what would change it</th>'
    )
    heads = before.rpartition("<table")[2] + why + after.partition("</thead>")[0]
    row = after.partition("<tbody>")[2].partition("</tr>")[0]
    assert heads.count("<th ") == row.count("<td") > 0
