"""A user gets the same permissions as another."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.common.errors import Invalid
from accounts.models import AuditEvent, RegistryUser
from namespaces.access import Level
from namespaces.models import Grant, Namespace
from namespaces.services import grants
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of
from tests.statements import asked_of_the_driver

URL = "/a/team-red/users/new/"
SOON = timezone.now() + timedelta(days=3)


@pytest.fixture
def team(cast: Cast) -> Namespace:
    made: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return made


@pytest.fixture
def model(cast: Cast, team: Namespace) -> RegistryUser:
    """Write on an image until soon, read on the namespace, and something that has ended."""
    user: RegistryUser = factories.RegistryUserFactory(account=cast.account, description="Old CI")
    over = factories.NamespaceFactory(account=cast.account, name="over")
    factories.GrantFactory(user=user, namespace=team, level=Level.READ)
    factories.GrantFactory(user=user, namespace=team, image_name="api", level=Level.WRITE, expires_at=SOON)
    factories.GrantFactory(
        user=user, namespace=over, level=Level.ADMIN, expires_at=timezone.now() - timedelta(days=1)
    )
    return user


def form(**more: str) -> dict[str, str]:
    return {"description": "New CI", "expiry": "90", "once": "a mark", **more}


def granted(username: str) -> list[tuple[str, int, Any]]:
    found = Grant.objects.filter(user__username=username).order_by("id")
    return [(each.target, each.level, each.expires_at) for each in found]


def test_live_permissions_are_copied_with_their_ends(cast: Cast, model: RegistryUser) -> None:
    answer = cast.client("manager").post(URL, form(like=model.username))
    assert answer.status_code == 200
    made = answer.context["user"].username
    assert granted(made) == [("team", Level.READ, None), ("team/api", Level.WRITE, SOON)]
    assert AuditEvent.objects.filter(action="grant.given").count() == 2


def test_what_is_given_beside_wins(cast: Cast, model: RegistryUser) -> None:
    answer = cast.client("manager").post(URL, form(like=model.username, where="team", purpose="admin"))
    made = answer.context["user"].username
    assert granted(made) == [("team", Level.ADMIN, None), ("team/api", Level.WRITE, SOON)]


def test_a_full_account_makes_no_user(cast: Cast, model: RegistryUser, settings: Any) -> None:
    settings.MAX_GRANTS_PER_ACCOUNT = 4
    answer = cast.client("manager").post(URL, form(like=model.username))
    assert answer.status_code == 400
    assert [*answer.context["form"].errors] == ["like"]
    assert not RegistryUser.objects.filter(description="New CI").exists()


def test_a_user_of_another_account_is_none(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    answer = cast.client("manager").post(URL, form(like=other.username))
    assert answer.status_code == 400
    assert [*answer.context["form"].errors] == ["like"]


def test_many_are_copied_in_few_statements(cast: Cast, model: RegistryUser, team: Namespace) -> None:
    """While they are, nobody else of the account gives any; on SQLite nobody writes anything."""
    Grant.objects.bulk_create(
        Grant(user=model, namespace=team, image_name=f"i{number}", level=Level.READ) for number in range(600)
    )
    to = factories.RegistryUserFactory(account=cast.account)
    with asked_of_the_driver() as statements:
        grants.copy(by=cast.by("owner"), source=model, to=to)
    assert len(granted(to.username)) == 602
    events = AuditEvent.objects.filter(action="grant.given")
    assert events.count() == len(set(events.values_list("object_id", flat=True))) == 602
    assert len(statements) < 30


def test_what_has_ended_is_renewed(cast: Cast, model: RegistryUser, team: Namespace) -> None:
    to = factories.RegistryUserFactory(account=cast.account)
    there = factories.GrantFactory(user=to, namespace=team, level=Level.ADMIN, expires_at=timezone.now())
    (renewed, _new) = grants.copy(by=cast.by("owner"), source=model, to=to)
    assert renewed.pk == there.pk
    assert granted(to.username) == [("team", Level.READ, None), ("team/api", Level.WRITE, SOON)]


def test_nothing_is_copied_across_accounts(cast: Cast, model: RegistryUser) -> None:
    with pytest.raises(Invalid):
        grants.copy(
            by=cast.by("owner"), source=model, to=factories.RegistryUserFactory(account=cast.elsewhere)
        )
    assert Grant.objects.filter(user__account=cast.elsewhere).count() == 0


def test_the_page_says_what_it_gets(cast: Cast, model: RegistryUser) -> None:
    client = cast.client("manager")
    page = client.get(f"{URL}preview/", form(like=model.username)).content.decode()
    assert "Gets what Old CI may do:" in page
    page = client.get(f"{URL}preview/", form(like=model.username, where="team")).content.decode()
    assert "It also gets what Old CI may do:" in page
    Grant.objects.all().delete()
    page = client.get(f"{URL}preview/", form(like=model.username)).content.decode()
    assert "Old CI has no permissions to copy." in page


def test_the_api_copies_them_too(cast: Cast, model: RegistryUser) -> None:
    user: Any = factories.RegistryUserFactory(account=cast.account)
    path = f"accounts/team-red/users/{user.username}/grants/copy/"
    for who, status in (("viewer", 403), ("stranger", 404), ("anonymous", 401)):
        assert caller_of(cast, who).post(path, {"same_as": model.username}).status_code == status
    owner = caller_of(cast, "owner")
    answer = owner.post(path, {"same_as": model.username})
    assert answer.status_code == 200
    assert [each["level"] for each in answer.json()["results"]] == ["read", "write"]
    assert owner.post(path, {"same_as": model.username}).json()["results"] == []
    assert len(granted(user.username)) == 2
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    refused = owner.post(path, {"same_as": other.username})
    assert (refused.status_code, fields_of(refused)) == (400, {"same_as"})
