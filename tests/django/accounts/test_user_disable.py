"""POST /a/<handle>/users/<username>/disable/ and …/enable/"""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, RegistryUser
from tests import factories
from tests.cast import OUTSIDERS, Cast


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account)


@pytest.fixture
def disabled(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account, disabled_at=timezone.now())


def is_disabled(user: RegistryUser) -> bool:
    user.refresh_from_db()
    return user.disabled_at is not None


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_those_who_may_disable(cast: Cast, user: RegistryUser, who: str) -> None:
    assert cast.client(who).post(f"{user.get_absolute_url()}disable/").status_code == 302
    assert is_disabled(user)
    assert AuditEvent.objects.filter(action="user.disabled").count() == 1


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_those_who_may_enable(cast: Cast, disabled: RegistryUser, who: str) -> None:
    assert cast.client(who).post(f"{disabled.get_absolute_url()}enable/").status_code == 302
    assert not is_disabled(disabled)


@pytest.mark.parametrize("who", ["viewer", *OUTSIDERS])
def test_the_others_do_neither(cast: Cast, user: RegistryUser, disabled: RegistryUser, who: str) -> None:
    client = cast.client(who)
    for url in (f"{user.get_absolute_url()}disable/", f"{disabled.get_absolute_url()}enable/"):
        assert client.post(url).status_code in (302, 403, 404)
    assert not is_disabled(user)
    assert is_disabled(disabled)


def test_twice_is_once(cast: Cast, user: RegistryUser) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(f"{user.get_absolute_url()}disable/")
    assert AuditEvent.objects.filter(action="user.disabled").count() == 1


@pytest.mark.parametrize("verb", ["disable", "enable"])
def test_another_accounts_user_is_not_here(cast: Cast, verb: str) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client("owner").post(f"/a/team-red/users/{other.username}/{verb}/").status_code == 404


def test_looking_changes_nothing(cast: Cast, user: RegistryUser) -> None:
    client = cast.client("owner")
    assert client.get(f"{user.get_absolute_url()}disable/").status_code == 200
    assert client.get(f"{user.get_absolute_url()}enable/").status_code == 405
    assert not is_disabled(user)
