"""POST /a/<handle>/users/<username>/edit/"""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, RegistryUser
from accounts.services import users
from tests import factories
from tests.cast import OUTSIDERS, Cast

FORM = {"description": "New words", "expiry": "keep", "expires_on": ""}


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    expires = timezone.now() + timedelta(days=10)
    return factories.RegistryUserFactory(account=cast.account, description="Old words", expires_at=expires)


def url(user: RegistryUser) -> str:
    return f"/a/team-red/users/{user.username}/edit/"


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_it_changes_the_description_and_keeps_the_expiry(cast: Cast, user: RegistryUser, who: str) -> None:
    assert cast.client(who).post(url(user), FORM).url == user.get_absolute_url()
    before = user.expires_at
    user.refresh_from_db()
    assert (user.description, user.expires_at) == ("New words", before)
    event = AuditEvent.objects.get(action="user.edited")
    assert (event.before["description"], event.after["description"]) == ("Old words", "New words")


def test_it_changes_the_expiry(cast: Cast, user: RegistryUser) -> None:
    cast.client("owner").post(url(user), FORM | {"expiry": "never"})
    user.refresh_from_db()
    assert user.expires_at is None


def test_an_expired_user_can_be_described_without_reviving_it(cast: Cast, user: RegistryUser) -> None:
    gone = timezone.now() - timedelta(days=1)
    RegistryUser.objects.filter(pk=user.pk).update(expires_at=gone)
    cast.client("owner").post(url(user), FORM)
    user.refresh_from_db()
    assert (user.description, user.expires_at) == ("New words", gone)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"description": ""}, "description"),
        ({"expiry": "date"}, "expires_on"),
        ({"expiry": "date", "expires_on": "2001-01-01"}, "expires_on"),
        ({"expiry": "nonsense"}, "expiry"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    cast: Cast, user: RegistryUser, change: dict[str, str], field: str
) -> None:
    answer = cast.client("owner").post(url(user), FORM | change)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert '<h1 class="text-break">Old words</h1>' in answer.content.decode()
    user.refresh_from_db()
    assert user.description == "Old words"


def test_a_viewer_is_refused(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("viewer").post(url(user), FORM).status_code == 403
    user.refresh_from_db()
    assert user.description == "Old words"


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_change_nothing(cast: Cast, user: RegistryUser, who: str) -> None:
    assert cast.client(who).post(url(user), FORM).status_code in (302, 404)
    user.refresh_from_db()
    assert user.description == "Old words"


def test_another_accounts_user_is_not_here(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client("owner").post(url(other), FORM).status_code == 404


def test_it_rejects_get(cast: Cast, user: RegistryUser) -> None:
    assert cast.client("owner").get(url(user)).status_code == 405


def test_what_somebody_else_changed_meanwhile_stays(cast: Cast, user: RegistryUser) -> None:
    by, before, end = (
        cast.by("owner"),
        RegistryUser.objects.get(pk=user.pk),
        timezone.now() + timedelta(days=9),
    )
    users.edit(by=by, user=user, expires_at=end)
    users.edit(by=by, user=before, description="Nightly build")
    user.refresh_from_db()
    assert (user.description, user.expires_at) == ("Nightly build", end)


def test_who_disables_it_second_tells_nothing_new(cast: Cast, user: RegistryUser) -> None:
    by, before = cast.by("owner"), RegistryUser.objects.get(pk=user.pk)
    users.disable(by=by, user=user)
    users.disable(by=by, user=before)
    assert AuditEvent.objects.filter(action="user.disabled").count() == 1
