"""What a page without images asks to do next: steps are ticked off by what is there, and commands work as given."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Denial, RegistryUser
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
    assert ("/users/new/" in text) is not pushable


def test_a_filter_comes_with_the_first_image(cast: Cast, team: Namespace) -> None:
    assert "Filter by name" not in shown(cast, NAMESPACE)
    assert "/n/team/usage/" not in shown(cast, NAMESPACE)
    factories.ImageFactory(namespace=team, name="api", tag_count=1)
    assert "Filter by name" in shown(cast, NAMESPACE)
    assert "/n/team/usage/" in shown(cast, NAMESPACE)
    assert "Filter by name" in shown(cast, f"{NAMESPACE}?q=nothing-like-it")


def test_an_account_without_namespaces_offers_one_way_on(cast: Cast) -> None:
    assert shown(cast, ALL).count("/namespaces/new/") == 1
    assert 'value="team-red"' in shown(cast, ALL)
    assert "/namespaces/new/" not in shown(cast, ALL, "viewer")
    assert "Viewers can’t create" in shown(cast, ALL, "viewer")


def steps_done(text: str) -> int:
    return text.count(' step-done"')


def test_each_step_is_done_when_it_is_seen_to_be(cast: Cast) -> None:
    assert steps_done(shown(cast, ALL)) == 0
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    assert steps_done(shown(cast, ALL)) == 1
    user = factories.GrantFactory(user__account=cast.account, namespace=namespace, level=2).user
    factories.add_password(user)
    for page in (ALL, NAMESPACE, IMAGE):
        text = shown(cast, page)
        assert steps_done(text) == 2
        assert "Waiting for first use…" in text
    factories.use_newest_password(user, timezone.now() + timedelta(seconds=1))
    text = shown(cast, ALL)
    assert steps_done(text) == 3
    assert "Waiting for the first push…" in text
    factories.TagFactory(image__namespace=namespace, image__name="api")
    text = shown(cast, ALL)
    assert "first-steps" not in text
    assert "team/api" in text


def test_what_was_done_is_taken_back_with_what_it_was(cast: Cast, team: Namespace) -> None:
    grant = factories.GrantFactory(user__account=cast.account, namespace=team, level=2)
    assert steps_done(shown(cast, ALL)) == 2
    grant.delete()
    assert steps_done(shown(cast, ALL)) == 1


def test_a_push_that_was_denied_says_why(cast: Cast, team: Namespace) -> None:
    user = factories.GrantFactory(user__account=cast.account, namespace=team, level=2).user
    factories.add_password(user)
    moment = timezone.now() + timedelta(seconds=1)
    factories.use_newest_password(user, moment)
    told = {"user": user, "repository": "other/api", "first_at": moment, "last_at": moment, "remedy": "Ask."}
    Denial.objects.create(action="mount", reason="A layer only.", **told)
    assert "A layer only." not in shown(cast, NAMESPACE)
    Denial.objects.create(action="push", reason="Not your namespace.", **told)
    assert "Not your namespace." in shown(cast, NAMESPACE)


def test_a_filter_that_finds_nothing_is_no_first_step(cast: Cast, team: Namespace) -> None:
    assert "first-steps" not in shown(cast, f"{NAMESPACE}?q=nothing-like-it")


def test_a_namespace_leads_on_to_the_first_user(cast: Cast) -> None:
    client, url = cast.client("manager"), "/a/team-red/namespaces/new/"
    first = client.post(url, {"name": "team"}, follow=True)
    assert first.redirect_chain[-1][0] == "/a/team-red/users/new/?purpose=write&where=team"
    assert "Next, create a user" in first.text
    factories.RegistryUserFactory(account=cast.account)
    second = client.post(url, {"name": "tools"}, follow=True)
    assert second.redirect_chain[-1][0] == "/a/team-red/n/tools/permissions/"


def test_a_permission_leads_on_to_the_push(cast: Cast, team: Namespace) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    client, url = cast.client("manager"), "/a/team-red/n/team/permissions/"
    added = client.post(url, {"user": user.username, "level": "write"}, follow=True)
    assert added.redirect_chain[-1][0] == "/a/team-red/n/team/"
    assert "Permission added." in added.text
    assert "docker push localhost:5000/team/nginx" in added.text
    factories.TagFactory(image__namespace=team)
    other = factories.RegistryUserFactory(account=cast.account)
    added = client.post(url, {"user": other.username, "level": "read"}, follow=True)
    assert added.redirect_chain[-1][0] == url


def test_without_users_the_permissions_page_creates_one(cast: Cast, team: Namespace) -> None:
    create = "/users/new/?purpose=write&amp;where=team"
    text = shown(cast, "n/team/permissions/")
    assert create in text
    assert "Select a user" not in text
    assert create not in shown(cast, "n/team/permissions/", "viewer")
    factories.RegistryUserFactory(account=cast.account)
    assert create not in shown(cast, "n/team/permissions/")


@pytest.mark.parametrize("others", [0, 1])
def test_without_users_their_page_creates_one_for_the_only_namespace(
    cast: Cast, team: Namespace, others: int
) -> None:
    factories.NamespaceFactory.create_batch(others, account=cast.account)
    assert ("purpose=write&amp;where=team" in shown(cast, "users/")) is (not others)
    assert "/users/new/?purpose=write" in shown(cast, "users/")


def test_a_user_that_was_never_used_is_shown_with_its_commands(cast: Cast, team: Namespace) -> None:
    user = factories.GrantFactory(user__account=cast.account, namespace=team, level=1).user
    login = f"docker login localhost:5000 -u {user.username}"
    assert login in shown(cast, f"users/{user.username}/")
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=PAST)
    assert login not in shown(cast, f"users/{user.username}/")
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=None, last_used_at=PAST)
    assert login not in shown(cast, f"users/{user.username}/")
