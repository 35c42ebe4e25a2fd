"""Days and moments from outside, in zones at both ends of the world: none makes a page fail, and a day is that day."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.common.errors import Invalid
from accounts.models import ApiToken, AuditEvent, RegistryUser
from accounts.services import api_tokens
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of

ZONES = ["Pacific/Kiritimati", "Europe/Berlin", "UTC", "Pacific/Pago_Pago"]
END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
USERS = "accounts/team-red/users/"
FORM = {"description": "CI", "expiry": "date", "once": "a mark"}


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.TIME_ZONE = request.param
    return str(request.param)


@pytest.mark.parametrize("day", ["9999-12-31", "9999-01-02", "0001-01-01"])
def test_a_day_at_an_end_of_the_calendar_is_refused_beside_its_field(cast: Cast, zone: str, day: str) -> None:
    page = cast.client("owner").post("/a/team-red/users/new/", FORM | {"expires_on": day})
    assert page.status_code == 400
    assert "expires_on" in page.context["form"].errors
    answer = caller_of(cast, "owner").post(USERS, {"description": "CI", "expires_at": day})
    assert (answer.status_code, fields_of(answer)) == (400, {"expires_at"})
    assert not RegistryUser.objects.exists()


def test_a_day_is_the_same_on_the_page_and_by_the_api(cast: Cast, zone: str) -> None:
    cast.client("owner").post("/a/team-red/users/new/", FORM | {"expires_on": "2099-05-05"})
    caller_of(cast, "owner").post(USERS, {"description": "CI", "expires_at": "2099-05-05"})
    first, second = RegistryUser.objects.all()
    assert first.expires_at == second.expires_at
    for path in ("/a/team-red/users/", first.get_absolute_url()):
        page = cast.client("viewer").get(path).content.decode()
        assert f'5 May 2099 <span class="text-secondary">{zone}</span>' in page
    form = cast.client("owner").get(first.get_absolute_url()).content.decode()
    assert f"unchanged: 5 May 2099 ({zone})" in form
    assert f"end of that day ({zone})" in form
    assert f"5 May 2099 ({zone})" in cast.client("viewer").get("/a/team-red/activity/").content.decode()


def test_a_day_is_changed_by_the_api(cast: Cast, zone: str) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    path, caller = f"{USERS}{user.username}/", caller_of(cast, "owner")
    assert caller.patch(path, {"expires_at": "2099-05-05"}).status_code == 200
    user.refresh_from_db()
    last = user.expires_at
    caller.patch(path, {"expires_at": "2099-05-06"})
    user.refresh_from_db()
    assert 23 <= (user.expires_at - last).total_seconds() / 3600 <= 25
    assert caller.patch(path, {"expires_at": "9999-12-31"}).status_code == 400


def test_an_api_token_ends_within_the_calendar(cast: Cast, zone: str) -> None:
    with pytest.raises(Invalid, match="before the year 9999"):
        api_tokens.create(by=cast.by("owner"), name="CI", expires_at=END, confirmed=True)
    assert not ApiToken.objects.exists()


def test_a_tag_pushed_in_the_year_1_is_shown(cast: Cast, zone: str) -> None:
    tag = factories.TagFactory(image__namespace__account=cast.account)
    type(tag).objects.update(pushed_at=datetime(1, 1, 1, tzinfo=UTC), pulled_at=END)
    tag.refresh_from_db()
    for path in (tag.image.get_absolute_url(), tag.get_absolute_url()):
        assert cast.client("viewer").get(path).status_code == 200


@pytest.mark.parametrize(
    "days", [{"since": "0001-01-01"}, {"until": "9999-12-31"}, {"since": "9999-12-31", "until": "0001-01-01"}]
)
def test_activity_of_any_days(cast: Cast, zone: str, days: dict[str, str]) -> None:
    cast.client("owner").post("/a/team-red/users/new/", FORM | {"expires_on": "2099-05-05"})
    assert AuditEvent.objects.exists()
    page = cast.client("viewer").get("/a/team-red/activity/", days)
    told = caller_of(cast, "viewer").get(f"accounts/team-red/activity/?{urlencode(days)}")
    assert (page.status_code, told.status_code) == (200, 200)
    assert bool(page.context["lines"]) is bool(told.json()["results"]) is (len(days) == 1)
