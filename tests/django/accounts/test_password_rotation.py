"""Rotation: two passwords work, and at no moment none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import credentials, selectors
from accounts.common.client_ip import Origin
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.last_used import Use, uses
from accounts.models import AuditEvent, RegistryUser, Secret
from accounts.peppers import peppers
from accounts.services import passwords
from registry_sync.tokens import queries
from tests import factories
from tests.cast import OUTSIDERS, Cast


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    uses.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


def address(user: RegistryUser, what: str = "rotate/") -> str:
    return f"/a/team-red/users/{user.username}/passwords/{what}"


def secret_of(password: str) -> Secret:
    return Secret.objects.get(digest__in=credentials.digests(password, peppers()))


def opens(password: str, at: datetime | None = None) -> bool:
    """Whether the token server takes it, as it says in its one statement."""
    stored_as = credentials.digests(password, peppers())
    caller = queries.load_caller(digests=stored_as, repositories=[], now=at or timezone.now())
    assert caller
    assert caller.user
    return not caller.user.password_ended


def use(user: RegistryUser, password: str, at: datetime) -> None:
    origin = Origin("10.0.0.5", "containerd/2.0.1", at)
    uses.note(Use(user.account_id, user.username, origin, secret_of(password).pk))
    assert uses.write() == 1


def test_both_work_until_the_old_one_is_ended(cast: Cast, user: Any) -> None:
    second = passwords.rotate(by=cast.by("owner"), user=user)
    assert opens(user.password)
    assert opens(second)
    passwords.end(by=cast.by("owner"), secret=secret_of(user.password))
    assert not opens(user.password)
    assert opens(second)


def test_there_is_no_third(cast: Cast, user: Any) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    with pytest.raises(Conflict):
        passwords.rotate(by=cast.by("owner"), user=user)
    assert Secret.objects.count() == 2
    assert AuditEvent.objects.filter(action="user.password_rotated").count() == 1


def test_the_only_one_is_not_ended(cast: Cast, user: Any) -> None:
    with pytest.raises(Conflict):
        passwords.end(by=cast.by("owner"), secret=secret_of(user.password))
    assert opens(user.password)


def test_one_that_has_ended_is_not_there_to_be_ended_or_retired(cast: Cast, user: Any) -> None:
    by = cast.by("owner")
    passwords.rotate(by=by, user=user)
    old = secret_of(user.password)
    passwords.end(by=by, secret=old)
    with pytest.raises(NotFound):
        passwords.end(by=by, secret=old)
    with pytest.raises(NotFound):
        passwords.retire(by=by, secret=old, unused_days=7)


def test_replacing_ends_both(cast: Cast, user: Any) -> None:
    second = passwords.rotate(by=cast.by("owner"), user=user)
    third = passwords.replace(by=cast.by("owner"), user=user)
    assert [opens(each) for each in (user.password, second, third)] == [False, False, True]


def test_the_old_one_ends_when_it_was_not_used_for_so_long(cast: Cast, user: Any) -> None:
    now = timezone.now()
    second = passwords.rotate(by=cast.by("owner"), user=user, unused_days=7)
    assert opens(user.password, now + timedelta(days=6))
    use(user, user.password, now + timedelta(days=6))
    assert opens(user.password, now + timedelta(days=12))
    assert not opens(user.password, now + timedelta(days=14))
    assert opens(second, now + timedelta(days=400))


def test_days_without_use_begin_when_they_are_chosen(cast: Cast, user: Any) -> None:
    """One that a monthly job uses must not end the moment that a week is chosen."""
    use(user, user.password, timezone.now() - timedelta(days=20))
    passwords.rotate(by=cast.by("owner"), user=user, unused_days=7)
    assert opens(user.password)
    assert opens(user.password, timezone.now() + timedelta(days=6))


def test_the_newest_does_not_retire(cast: Cast, user: Any) -> None:
    by = cast.by("owner")
    with pytest.raises(Conflict):
        passwords.retire(by=by, secret=secret_of(user.password), unused_days=7)
    second = passwords.rotate(by=by, user=user)
    with pytest.raises(Conflict):
        passwords.retire(by=by, secret=secret_of(second), unused_days=7)


def test_the_old_one_stays_where_the_new_one_is_ended(cast: Cast, user: Any) -> None:
    by = cast.by("owner")
    second = passwords.rotate(by=by, user=user, unused_days=7)
    passwords.end(by=by, secret=secret_of(second))
    assert opens(user.password, timezone.now() + timedelta(days=400))


def test_one_that_has_retired_does_not_come_back(cast: Cast, user: Any) -> None:
    by = cast.by("owner")
    second = passwords.rotate(by=by, user=user, unused_days=7)
    Secret.objects.filter(pk=secret_of(user.password).pk).update(retires_at=timezone.now())
    with pytest.raises(Conflict):
        passwords.end(by=by, secret=secret_of(second))
    assert not opens(user.password)


def test_it_ends_on_a_date(cast: Cast, user: Any) -> None:
    day = timezone.now() + timedelta(days=3)
    passwords.rotate(by=cast.by("owner"), user=user, retires_at=day)
    assert opens(user.password, day - timedelta(seconds=1))
    assert not opens(user.password, day)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"unused_days": 0}, "retire_after_unused_days"),
        ({"unused_days": 366}, "retire_after_unused_days"),
        ({"retires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "retires_at"),
        ({"retires_at": datetime(9999, 12, 31, tzinfo=UTC)}, "retires_at"),
        ({"retires_at": datetime(2999, 1, 1, tzinfo=UTC), "unused_days": 7}, "retire_after_unused_days"),
    ],
)
def test_a_bad_plan_is_refused(cast: Cast, user: Any, plan: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.rotate(by=cast.by("owner"), user=user, **plan)
    assert [*refused.value.errors] == [field]
    assert selectors.passwords_of(user).count() == 1
    passwords.rotate(by=cast.by("owner"), user=user)
    with pytest.raises(Invalid) as refused:
        passwords.retire(by=cast.by("owner"), secret=secret_of(user.password), **plan)
    assert [*refused.value.errors] == [field]


def test_each_password_has_its_own_last_use(cast: Cast, user: Any) -> None:
    second = passwords.rotate(by=cast.by("owner"), user=user)
    now = timezone.now()
    use(user, user.password, now)
    use(user, second, now - timedelta(minutes=5))  # written late
    user.refresh_from_db()
    assert user.last_used_at == now
    assert [each.last_used_at for each in selectors.passwords_of(user)] == [now - timedelta(minutes=5), now]
    assert secret_of(second).last_used_from == "10.0.0.5"


def test_of_ended_ones_a_few_are_kept(cast: Cast, user: Any) -> None:
    for _each in range(passwords.ENDED_KEPT + 3):
        passwords.replace(by=cast.by("owner"), user=user)
    assert Secret.objects.filter(user=user).count() <= passwords.ENDED_KEPT + 2


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_the_new_one_is_shown_once(cast: Cast, user: Any, who: str) -> None:
    client = cast.client(who)
    answer = client.post(address(user), {"retirement": "14", "once": "a mark"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    second = answer.context["password"]
    assert "still works" in answer.content.decode()
    page = client.get(user.get_absolute_url()).content.decode()
    assert second not in page
    assert "The old password has not been used since the new one was made" in page
    assert client.post(address(user), {"retirement": "14", "once": "a mark"}).url == user.get_absolute_url()
    assert Secret.objects.count() == 2
    told = AuditEvent.objects.get(action="user.password_rotated")
    assert told.after == {"password": f"…{second[-4:]}"}


def test_the_page_says_who_uses_the_old_one_still(cast: Cast, user: Any) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    use(user, user.password, timezone.now())
    page = cast.client("viewer").get(user.get_absolute_url()).content.decode()
    assert "The old password was last used <time" in page
    assert "by containerd/2.0.1 from 10.0.0.5." in page
    assert "End the old password" not in page
    assert "End the old password" in cast.client("manager").get(user.get_absolute_url()).content.decode()


def test_while_two_work_the_page_says_so(cast: Cast, user: Any) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    client = cast.client("owner")
    assert "End the old one before" in client.get(address(user)).content.decode()
    answer = client.post(address(user), {"retirement": "hand", "once": "a mark"})
    assert answer.status_code == 400
    assert Secret.objects.count() == 2


def test_a_date_that_is_missing_is_said_beside_it(cast: Cast, user: Any) -> None:
    answer = cast.client("owner").post(address(user), {"retirement": "date", "once": "a mark"})
    assert answer.status_code == 400
    assert [*answer.context["form"].errors] == ["retires_on"]
    assert Secret.objects.count() == 1


def test_it_is_ended_after_a_question(cast: Cast, user: Any) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    url = address(user, f"{secret_of(user.password).pk}/end/")
    client = cast.client("manager")
    assert client.get(url).status_code == 200
    assert opens(user.password)
    assert client.post(url).url == user.get_absolute_url()
    assert not opens(user.password)
    told = AuditEvent.objects.get(action="user.password_ended")
    assert told.before == {"password": f"…{user.password[-4:]}"}
    assert client.post(url).status_code == 404


def test_its_end_is_chosen_later(cast: Cast, user: Any) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    url = address(user, f"{secret_of(user.password).pk}/retirement/")
    client = cast.client("manager")
    assert client.post(url, {"retirement": "30"}).url == user.get_absolute_url()
    assert secret_of(user.password).retire_after_unused_days == 30
    assert client.get(url).context["form"]["retirement"].initial == "30"
    assert client.post(url, {"retirement": "hand"}).status_code == 302
    assert secret_of(user.password).ends_at is None
    answer = client.post(url, {"retirement": "date", "retires_on": "2020-01-01"})
    assert (answer.status_code, [*answer.context["form"].errors]) == (400, ["retires_on"])
    assert AuditEvent.objects.filter(action="user.password_retired").count() == 2


@pytest.mark.parametrize("plan", [{"retires_at": datetime(2999, 1, 1, 12, tzinfo=UTC)}, {"unused_days": 60}])
def test_an_end_that_no_choice_says_stays_until_another_is_chosen(
    cast: Cast, user: Any, plan: dict[str, Any]
) -> None:
    passwords.rotate(by=cast.by("owner"), user=user, **plan)
    before = secret_of(user.password)
    url = address(user, f"{before.pk}/retirement/")
    client = cast.client("manager")
    form = client.get(url).context["form"]
    chosen = form["retirement"].initial
    assert dict(form.fields["retirement"].choices)[chosen].startswith("unchanged: ")
    assert client.post(url, {"retirement": chosen}).status_code == 302
    after = secret_of(user.password)
    assert (after.retires_at, after.retire_after_unused_days) == (
        before.retires_at,
        before.retire_after_unused_days,
    )
    assert AuditEvent.objects.filter(action="user.password_retired").count() == 1  # by the rotation
    assert client.post(url, {"retirement": "hand"}).status_code == 302
    assert secret_of(user.password).ends_at is None


@pytest.mark.parametrize("who", ["viewer", *OUTSIDERS])
@pytest.mark.parametrize("what", ["rotate/", "{}/end/", "{}/retirement/"])
def test_the_others_change_nothing(cast: Cast, user: Any, who: str, what: str) -> None:
    passwords.rotate(by=cast.by("owner"), user=user)
    form = {"retirement": "7", "once": "a mark"}
    url = address(user, what.format(secret_of(user.password).pk))
    assert cast.client(who).post(url, form).status_code in (302, 403, 404)
    assert opens(user.password)
    assert secret_of(user.password).ends_at is None
    assert Secret.objects.count() == 2


def test_a_password_of_another_user_is_not_here(cast: Cast, user: Any) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    url = address(user, f"{secret_of(other.password).pk}/end/")
    assert cast.client("owner").post(url).status_code == 404
    assert opens(other.password)
