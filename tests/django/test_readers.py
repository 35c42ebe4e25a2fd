"""The zone of whoever reads a page, from the cookie that its script sets; days stay the days of the zone they name."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from accounts import reader_preferences
from accounts.models import AuditEvent, RegistryUser
from namespaces import usage
from namespaces.models import Usage
from tests import factories
from tests.cast import Cast
from tests.django.api.world import caller_of

KIRITIMATI, LOS_ANGELES, KOLKATA = "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kolkata"
ZONES = [KIRITIMATI, LOS_ANGELES, KOLKATA]
MOMENT = datetime(2026, 1, 31, 22, 0, 0, tzinfo=UTC)  # another day in Kiritimati, the same in Los Angeles


def reader(cast: Cast, zone: str, **cookies: str) -> Client:
    client = cast.client("owner")
    client.cookies.load({"time_zone": zone, **cookies})
    return client


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account, created_at=MOMENT)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        (KIRITIMATI, "1 Feb 2026, 12:00:00 UTC+14 · 31 Jan 2026, 22:00:00 UTC"),
        (LOS_ANGELES, "31 Jan 2026, 14:00:00 PST · 22:00:00 UTC"),
        (KOLKATA, "1 Feb 2026, 03:30:00 IST · 31 Jan 2026, 22:00:00 UTC"),
        ("no/such/zone", "31 Jan 2026, 22:00:00 UTC"),
    ],
)
def test_moments_are_the_readers_and_the_next_readers_are_not(
    cast: Cast, user: RegistryUser, zone: str, written: str
) -> None:
    page = reader(cast, zone).get(user.get_absolute_url()).content.decode()
    assert f'title="{written}"' in page
    assert "Times in " + (zone if zone in ZONES else "UTC") in page
    assert (
        'title="31 Jan 2026, 22:00:00 UTC"'
        in cast.client("owner").get(user.get_absolute_url()).content.decode()
    )


def test_exact_times_are_a_switch_that_needs_no_script(cast: Cast, user: RegistryUser) -> None:
    client, here = reader(cast, KOLKATA), user.get_absolute_url()
    assert "Show exact times" in client.get(here).content.decode()
    answer = client.post(
        "/me/time-preferences/", {"times": "exact"}, headers={"Referer": f"{settings.PUBLIC_URL}{here}"}
    )
    assert answer.url == f"{settings.PUBLIC_URL}{here}"
    page = client.get(here).content.decode()
    assert re.search(
        r"<time [^>]*><span[^>]*>1 Feb 2026, 03:30:00 IST</span> <span[^>]*>· 31 Jan 2026, 22:00:00 UTC<",
        page,
    )
    assert "data-relative" not in page
    assert client.post("/me/time-preferences/", {"times": "relative"}).url == "/"
    assert "data-relative" in client.get(here).content.decode()
    assert client.get("/me/time-preferences/").status_code == 405
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert client.post("/me/time-preferences/", headers={"Referer": elsewhere}).url == "/"


def test_a_day_that_was_chosen_is_that_day_whoever_looks(cast: Cast) -> None:
    form = {"description": "CI", "expiry": "date", "expires_on": "2099-05-05", "once": "a mark"}
    for zone in ZONES:
        reader(cast, zone).post("/a/team-red/users/new/", form)
    ends = {user.expires_at for user in RegistryUser.objects.all()}
    assert ends == {datetime(2099, 5, 6, tzinfo=UTC)}
    path = RegistryUser.objects.first().get_absolute_url()  # type: ignore[union-attr]
    for zone in [*ZONES, "UTC"]:
        page = reader(cast, zone).get(path).content.decode()
        assert '5 May 2099 <span class="text-secondary">UTC</span>' in page
        assert "unchanged: 5 May 2099 (UTC)" in page
        assert "end of that day (UTC)" in page


def test_days_of_activity_are_those_of_the_zone_that_the_address_names(cast: Cast) -> None:
    AuditEvent.objects.create(account_id=cast.account.pk, at=MOMENT, actor="ada", actor_kind="person",
                              action="user.created", object_kind="user", object="CI")  # fmt: skip
    days = {"since": "2026-02-01", "until": "2026-02-01"}

    def shown(readers: str, zone: str = "") -> bool:
        page = reader(cast, readers).get("/a/team-red/activity/", days | ({"zone": zone} if zone else {}))
        assert f"Since ({zone or readers})" in page.content.decode()
        return bool(page.context["lines"])

    assert shown(KIRITIMATI)
    assert not shown(LOS_ANGELES)
    assert shown(LOS_ANGELES, zone=KIRITIMATI)
    assert not shown(KIRITIMATI, zone=LOS_ANGELES)


def test_a_day_of_usage_is_the_installations(cast: Cast) -> None:
    today = datetime.now(UTC).date()
    for zone in (KIRITIMATI, "Pacific/Pago_Pago"):  # in one of them it is another day, at any time
        with reader_preferences.as_asked(zone=zone, exact=False):
            assert usage.today() == today
    for day in (today - timedelta(days=1), today):
        Usage.objects.create(account_id=cast.account.pk, day=day, stored_bytes=1)
    assert "Day (UTC)" in reader(cast, KIRITIMATI).get("/a/team-red/usage/").content.decode()


def test_the_api_tells_moments_in_utc_whoever_asks(cast: Cast, user: RegistryUser) -> None:
    path = f"accounts/team-red/users/{user.username}/"
    told = caller_of(cast, "owner").get(path).json()["created_at"]
    assert (
        reader(cast, KIRITIMATI).get(f"/api/v1/{path}").json()["created_at"] == told == "2026-01-31T22:00:00Z"
    )
