"""POST /a/<handle>/users/<username>/delete/"""

import pytest

from accounts.models import AuditEvent, RegistryUser
from tests import factories
from tests.cast import OUTSIDERS, Cast


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account)


def url(user: RegistryUser) -> str:
    return f"/a/team-red/users/{user.username}/delete/"


def there(user: RegistryUser) -> bool:
    return RegistryUser.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_the_typed_name_deletes(cast: Cast, user: RegistryUser, who: str) -> None:
    factories.GrantFactory(user=user)
    assert cast.client(who).post(url(user), {"confirm": user.username}).url == "/a/team-red/users/"
    assert not there(user)
    assert AuditEvent.objects.filter(action="user.deleted").count() == 1


@pytest.mark.parametrize("typed", ["", "something"])
def test_another_name_does_not(cast: Cast, user: RegistryUser, typed: str) -> None:
    answer = cast.client("owner").post(url(user), {"confirm": typed})
    assert answer.status_code == 400
    assert f"Type {user.username} to confirm." in answer.content.decode()
    assert there(user)


@pytest.mark.parametrize("who", ["viewer", *OUTSIDERS])
def test_the_others_delete_nothing(cast: Cast, user: RegistryUser, who: str) -> None:
    assert cast.client(who).post(url(user), {"confirm": user.username}).status_code in (302, 403, 404)
    assert there(user)


def test_another_accounts_user_is_not_here(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client("owner").post(url(other), {"confirm": other.username}).status_code == 404
    assert there(other)


def test_it_rejects_get(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("owner").get(url(user)).status_code == 405
