"""The commands on a page without images: they work as they stand, or the page says what is missing."""

from datetime import UTC, datetime

import pytest

from accounts.models import RegistryUser
from namespaces.models import Namespace
from tests import factories
from tests.cast import Cast

PAST = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACE, IMAGE, ALL = "n/team/", "n/team/i/deep/api/", "images/"


@pytest.fixture
def team(cast: Cast) -> Namespace:
    made: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return made


def shown(cast: Cast, page: str, who: str = "manager") -> str:
    return cast.client(who).get(f"/a/team-red/{page}").content.decode()


@pytest.mark.parametrize(
    ("page", "target"), [(ALL, "team/nginx"), (NAMESPACE, "team/nginx"), (IMAGE, "team/deep/api")]
)
def test_a_user_that_may_push_is_named(cast: Cast, team: Namespace, page: str, target: str) -> None:
    reader = factories.GrantFactory(user__account=cast.account, namespace=team, level=1).user
    writer = factories.GrantFactory(user__account=cast.account, namespace=team, level=2).user
    text = shown(cast, page)
    assert f"docker login localhost:5000 -u {writer.username}" in text
    assert f"docker push localhost:5000/{target}" in text
    assert f"-u {reader.username}" not in text


@pytest.mark.parametrize("ended", [{"disabled_at": PAST}, {"expires_at": PAST}])
def test_who_can_do_nothing_any_more_is_not_named(
    cast: Cast, team: Namespace, ended: dict[str, datetime]
) -> None:
    user = factories.GrantFactory(user__account=cast.account, namespace=team, level=2).user
    assert user.username in shown(cast, NAMESPACE)
    RegistryUser.objects.filter(pk=user.pk).update(**ended)
    assert "docker push" not in shown(cast, NAMESPACE)


def test_who_may_push_one_image_pushes_that(cast: Cast, team: Namespace) -> None:
    factories.GrantFactory(user__account=cast.account, namespace=team, level=2, image_name="web")
    assert "docker push localhost:5000/team/web" in shown(cast, NAMESPACE)
    assert "docker push" not in shown(cast, IMAGE)


@pytest.mark.parametrize(("page", "where"), [(NAMESPACE, "team"), (IMAGE, "team/deep/api")])
def test_while_nobody_may_push_here_a_link_makes_somebody_who_may(
    cast: Cast, team: Namespace, page: str, where: str
) -> None:
    elsewhere = factories.NamespaceFactory(account=cast.account, name="other")
    factories.GrantFactory(user__account=cast.account, namespace=elsewhere, level=3)
    factories.GrantFactory(user__account=cast.account, namespace=team, level=1)
    text = shown(cast, page)
    assert f'href="/a/team-red/users/new/?purpose=write&amp;where={where}"' in text
    assert "docker push" not in text


@pytest.mark.parametrize("page", [NAMESPACE, IMAGE, ALL])
def test_who_may_not_make_one_is_told_who_could(cast: Cast, team: Namespace, page: str) -> None:
    text = shown(cast, page, "viewer")
    assert "Viewers can’t create or change users" in text
    assert "/users/new/" not in text


@pytest.mark.parametrize("pushable", [False, True])
def test_the_next_step_is_the_one_primary_act(cast: Cast, team: Namespace, pushable: bool) -> None:
    if pushable:
        factories.GrantFactory(user__account=cast.account, namespace=team, level=2)
    text = shown(cast, NAMESPACE)
    assert text.count("btn-primary") == 1
    assert ("Create a user that can push" in text) is not pushable


def test_a_filter_comes_with_the_first_image(cast: Cast, team: Namespace) -> None:
    assert "Filter by name" not in shown(cast, NAMESPACE)
    assert "/n/team/usage/" not in shown(cast, NAMESPACE)
    factories.ImageFactory(namespace=team, name="api", tag_count=1)
    assert "Filter by name" in shown(cast, NAMESPACE)
    assert "/n/team/usage/" in shown(cast, NAMESPACE)
    assert "Filter by name" in shown(cast, f"{NAMESPACE}?q=nothing-like-it")


def test_an_account_without_namespaces_offers_one_way_on(cast: Cast) -> None:
    assert shown(cast, ALL).count("/namespaces/new/") == 1
    assert "/namespaces/new/" not in shown(cast, ALL, "viewer")
