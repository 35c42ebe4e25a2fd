"""What nobody used in the days that are kept: in lists of permissions and of users, and in the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import RegistryUser
from namespaces.access import Level
from namespaces.ledger import confirmation
from namespaces.ledger.confirmation import ConfirmedUse
from namespaces.models import Grant
from namespaces.services import grants
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import Caller, token_of
from tests.django.namespaces.ledger.test_breakage import entry

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PERMISSIONS = "/a/team-red/n/team/permissions/?state=idle"


@pytest.fixture
def team(cast: Cast) -> Any:
    return factories.NamespaceFactory(account=cast.account, name="team")


def given(cast: Cast, team: Any, name: str, image: str = "", days: int = 90, **more: Any) -> Grant:
    made: Grant = factories.GrantFactory(
        user__account=cast.account, user__description=name, namespace=team, image_name=image, level=Level.WRITE,
        created_at=timezone.now() - days * DAY, **more,
    )  # fmt: skip
    return made


def used(grant: Grant, image: str, days: float) -> None:
    confirmation.confirm(
        [ConfirmedUse(grant.user.username, f"team/{image}", "pull", 1, timezone.now() - days * DAY, "", "")]
    )


def shown(cast: Cast) -> set[str]:
    rows = cast.client("viewer").get(PERMISSIONS).context["page"].rows
    found = {row.user.description for row in rows}
    told = Caller(token_of(cast.viewer)).get("accounts/team-red/grants/?state=idle").json()["results"]
    assert {each["user"] for each in told} == {row.user.username for row in rows}
    return found


def test_permissions_that_nothing_was_done_with(cast: Cast, team: Any) -> None:
    used(given(cast, team, "used on an image"), "api", 3)
    used(given(cast, team, "used itself", image="api"), "api", 59)
    used(given(cast, team, "used elsewhere", image="api"), "web", 3)
    entry(given(cast, team, "asked for").user, team, last_at=timezone.now())
    entry(given(cast, team, "deletes").user, team, "delete", last_at=timezone.now())
    given(cast, team, "new", days=3)
    given(cast, team, "ended", expires_at=timezone.now() - DAY)
    given(cast, team, "idle", expires_at=timezone.now() + DAY)
    assert shown(cast) == {"used elsewhere", "asked for", "idle"}


def test_what_was_renewed_is_as_young_as_that(cast: Cast, team: Any) -> None:
    used(given(cast, team, "used elsewhere", image="api"), "web", 59)
    ended = [given(cast, team, name, expires_at=timezone.now() - DAY) for name in ("again", "later", "level")]
    by, later = cast.by("owner"), timezone.now() + DAY
    grants.give(by=by, namespace=team, user=ended[0].user, level="write", expires_at=later)
    grants.change(by=by, grant=ended[1], level="write", expires_at=later)
    grants.change(by=by, grant=ended[2], level="read", expires_at=ended[2].expires_at)
    assert shown(cast) == {"used elsewhere"}
    assert Grant.objects.get(pk=ended[2].pk).created_at < timezone.now() - 89 * DAY


def test_a_young_ledger_calls_nothing_unused(cast: Cast, team: Any) -> None:
    used(given(cast, team, "used"), "api", 3)
    given(cast, team, "idle")
    assert shown(cast) == set()


def test_users_that_were_not_used_lately(cast: Cast) -> None:
    now = timezone.now()
    for name, created, last in (
        ("busy", 90, 3), ("idle", 90, 61), ("never", 90, None), ("new", 3, None), ("disabled", 90, 61),
    ):  # fmt: skip
        factories.RegistryUserFactory(
            account=cast.account, description=name, created_at=now - created * DAY,
            last_used_at=now - last * DAY if last else None, disabled_at=now if name == "disabled" else None,
        )  # fmt: skip
    rows = cast.client("viewer").get("/a/team-red/users/?state=idle").context["rows"]
    assert {row["user"].description for row in rows} == {"idle", "never"}
    told = Caller(token_of(cast.viewer)).get("accounts/team-red/users/?state=idle").json()["results"]
    assert {each["description"] for each in told} == {"idle", "never"}
    assert RegistryUser.objects.count() == 5
