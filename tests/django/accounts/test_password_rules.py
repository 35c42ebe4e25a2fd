"""POST /a/<handle>/settings/password-rules/, and what the rules do."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.common import timestamps
from accounts.common.errors import Invalid
from accounts.models import Account, AuditEvent, RegistryUser, Secret
from accounts.services import password_rules, passwords, users
from tests import factories
from tests.cast import OUTSIDERS, Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of

URL = "/a/team-red/settings/password-rules/"


@pytest.fixture
def short(cast: Cast) -> Account:
    """Nothing lives longer than a week."""
    return password_rules.change(
        by=cast.by("owner"), account=cast.account, longest_life_days=7, self_rotation=False
    )


def test_the_owner_sets_them(cast: Cast) -> None:
    answer = cast.client("owner").post(URL, {"longest_life_days": "30", "self_rotation": "on"})
    assert answer.status_code == 302
    cast.account.refresh_from_db()
    assert (cast.account.longest_life_days, cast.account.self_rotation) == (30, True)
    told = AuditEvent.objects.get(action="account.password_rules")
    assert told.before == {"longest_life_days": None, "self_rotation": False}
    cast.client("owner").post(URL, {})
    cast.account.refresh_from_db()
    assert (cast.account.longest_life_days, cast.account.self_rotation) == (None, False)


@pytest.mark.parametrize("who", ["manager", "viewer", *OUTSIDERS])
def test_the_others_do_not(cast: Cast, who: str) -> None:
    assert cast.client(who).post(URL, {"longest_life_days": "30"}).status_code in (302, 403, 404)
    assert Account.objects.get(pk=cast.account.pk).longest_life_days is None


def test_members_read_them(cast: Cast, short: Account) -> None:
    page = cast.client("viewer").get("/a/team-red/settings/").content.decode()
    assert "Users and passwords last at most 7 days." in page
    assert "Users may not rotate their own password." in page
    assert caller_of(cast, "viewer").get("accounts/team-red/password-rules/").json()["longest_life_days"] == 7


@pytest.mark.parametrize("days", ["0", "-1", "3651", "x"])
def test_bad_days_are_said_at_their_field(cast: Cast, days: str) -> None:
    answer = cast.client("owner").post(URL, {"longest_life_days": days})
    assert answer.status_code == 400
    assert [*answer.context["rules_form"].errors] == ["longest_life_days"]


def test_a_user_lives_no_longer(cast: Cast, short: Account) -> None:
    by, now = cast.by("owner"), timezone.now()
    last = (now + timedelta(days=7)).astimezone(timezone.get_default_timezone()).date()
    latest = timestamps.end_of(last, timezone.get_default_timezone())
    users.create(by=by, account=short, description="CI", expires_at=latest)
    for late in (latest + timedelta(seconds=1), None):
        with pytest.raises(Invalid) as refused:
            users.create(by=by, account=short, description="CI", expires_at=late)
        assert [*refused.value.errors] == ["expires_at"]


def test_of_one_day_it_speaks_in_the_singular(cast: Cast) -> None:
    by = cast.by("owner")
    day = password_rules.change(by=by, account=cast.account, longest_life_days=1, self_rotation=False)
    with pytest.raises(Invalid, match="at most 1 day:"):
        users.create(by=by, account=day, description="CI", expires_at=None)


def test_the_api_says_so_at_its_field(cast: Cast, short: Account) -> None:
    caller = caller_of(cast, "owner")
    for late in ("2999-01-01", None):
        answer = caller.post("accounts/team-red/users/", {"description": "CI", "expires_at": late})
        assert (answer.status_code, fields_of(answer)) == (400, {"expires_at"})
    assert caller.post("accounts/team-red/users/", {"description": "CI"}).status_code == 201
    made = RegistryUser.objects.get()
    assert made.expires_at
    assert made.expires_at <= timezone.now() + timedelta(days=7)


def test_the_form_offers_no_later_end(cast: Cast, short: Account) -> None:
    form = cast.client("owner").get("/a/team-red/users/new/").context["form"]
    assert [value for value, _text in form.fields["expiry"].choices] == ["7", "date"]
    assert form["expiry"].initial == "7"
    typed = {"description": "CI", "expiry": "date", "expires_on": "2999-01-01", "once": "a mark"}
    answer = cast.client("owner").post("/a/team-red/users/new/", typed)
    assert answer.status_code == 400
    assert [*answer.context["form"].errors] == ["expires_on"]


def test_what_lives_longer_already_is_shown_and_not_cut(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="Forever")
    factories.RegistryUserFactory(
        account=cast.account, description="Briefly", expires_at=timezone.now() + timedelta(days=40)
    )
    owner, list_ = cast.client("owner"), "/a/team-red/users/?state=overlong"
    assert "Forever" not in owner.get(list_).content.decode()
    password_rules.change(
        by=cast.by("owner"), account=cast.account, longest_life_days=50, self_rotation=False
    )
    page = owner.get(list_).content.decode()
    assert "Forever" in page
    assert "Briefly" not in page
    assert "longer than allowed" in owner.get(user.get_absolute_url()).content.decode()
    user.refresh_from_db()
    assert user.expires_at is None
    users.edit(by=cast.by("owner"), user=user, description="Still", expires_at=None)
    with pytest.raises(Invalid):
        users.edit(
            by=cast.by("owner"),
            user=user,
            description="Still",
            expires_at=timezone.now() + timedelta(days=60),
        )


def test_a_new_password_ends_as_the_account_wants(cast: Cast, short: Account) -> None:
    user: Any = factories.RegistryUserFactory(account=short)
    passwords.rotate(by=cast.by("owner"), user=user)
    newest, oldest = passwords.live(user)
    assert newest.expires_at == password_rules.latest_end(short, timezone.now())
    assert oldest.expires_at is None
    passwords.replace(by=cast.by("owner"), user=user)
    assert Secret.objects.latest("pk").expires_at


def test_the_page_of_a_new_password_says_when_it_ends_before_its_user(cast: Cast, short: Account) -> None:
    user = factories.RegistryUserFactory(account=short)
    answer = cast.client("owner").post(f"/a/team-red/users/{user.username}/password/", {"once": "a mark"})
    assert answer.context["ends_at"] == password_rules.latest_end(short, timezone.now())
    RegistryUser.objects.update(expires_at=timezone.now() + timedelta(days=1))
    answer = cast.client("owner").post(f"/a/team-red/users/{user.username}/password/", {"once": "another"})
    user.refresh_from_db()
    assert answer.context["ends_at"] == user.expires_at


def test_what_somebody_else_changed_meanwhile_stays(cast: Cast) -> None:
    by, before = cast.by("owner"), Account.objects.get(pk=cast.account.pk)
    password_rules.change(by=by, account=cast.account, longest_life_days=30)
    password_rules.change(by=by, account=before, self_rotation=True)
    kept = Account.objects.get(pk=before.pk)
    assert (kept.longest_life_days, kept.self_rotation) == (30, True)
