"""POST /a/<handle>/users/<username>/password/"""

import pytest

from accounts.credentials import digests
from accounts.models import AuditEvent, RegistryUser
from accounts.peppers import peppers
from accounts.services import passwords
from tests import factories
from tests.cast import OUTSIDERS, Cast


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account)


def url(user: RegistryUser) -> str:
    return f"/a/team-red/users/{user.username}/password/"


def works(user: RegistryUser, password: str) -> bool:
    stored_as = digests(password, peppers())
    return any(each.digest in stored_as for each in passwords.live(user))


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_the_new_one_is_shown_once_and_the_old_one_is_gone(cast: Cast, user: RegistryUser, who: str) -> None:
    answer = cast.client(who).post(url(user), {"once": "a mark"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert works(user, answer.context["password"])
    assert not works(user, user.password)
    assert AuditEvent.objects.filter(action="user.password_replaced").count() == 1


def test_sending_it_again_keeps_the_new_one(cast: Cast, user: RegistryUser) -> None:
    client = cast.client("owner")
    once = client.get(url(user)).context["question"].fields["once"]
    password = client.post(url(user), {"once": once}).context["password"]
    assert client.post(url(user), {"once": once}).url == user.get_absolute_url()
    assert works(user, password)


@pytest.mark.parametrize("who", ["viewer", *OUTSIDERS])
def test_the_others_replace_nothing(cast: Cast, user: RegistryUser, who: str) -> None:
    assert cast.client(who).post(url(user), {"once": "a mark"}).status_code in (302, 403, 404)
    assert works(user, user.password)


def test_another_accounts_user_is_not_here(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client("owner").post(url(other), {"once": "a mark"}).status_code == 404
    assert works(other, other.password)


def test_looking_replaces_nothing(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("owner").get(url(user)).status_code == 200
    assert works(user, user.password)
