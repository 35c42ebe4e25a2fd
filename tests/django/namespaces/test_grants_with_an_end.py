"""A grant that ends: the token door, pages, API and denials judge it alike, by the clock and by nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.models import AuditEvent, Denial
from namespaces import access, permissions, selectors
from namespaces.access import Action, Level, UserStatus
from namespaces.denial_recheck import with_current_decision
from namespaces.example_image import example_of
from namespaces.models import Grant
from namespaces.services import grants
from registry_sync.tokens import queries
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import Caller, token_of

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def team(cast: Cast) -> Any:
    return factories.NamespaceFactory(account=cast.account, name="team")


def token_level(user: Any, at: datetime, repository: str = "team/app") -> Level:
    digest = user.secrets.get().digest
    caller = queries.load_caller(digests=[digest], repositories=[repository], now=at)
    assert caller
    return caller.contexts[repository].level


@pytest.mark.parametrize("away", [timedelta(days=-1), -TICK, timedelta(), TICK, timedelta(days=1)])
@pytest.mark.parametrize("image_name", ["", "app"])
def test_the_moment_is_judged_alike_everywhere(
    user: Any, team: Any, away: timedelta, image_name: str
) -> None:
    """Both databases compare it to the microsecond, and so do rows that are loaded."""
    grant = factories.GrantFactory(
        user=user, namespace=team, image_name=image_name, level=Level.WRITE, expires_at=NOW + away
    )
    expected = Level.WRITE if away > timedelta() else Level.NONE

    context = permissions.access_context([grant], team, UserStatus.ACTIVE, NOW)

    assert token_level(user, NOW) == context.level == expected
    assert Grant.objects.live(NOW).exists() is grant.is_live(NOW) is bool(expected)
    assert bool(selectors.live_grants_of_users([user], NOW)[user.pk]) is bool(expected)
    (namespace,) = selectors.namespaces_of(team.account, now=NOW)
    assert namespace.user_count == bool(expected)  # type: ignore[attr-defined]


@pytest.mark.parametrize("days", [-1, 1])
def test_pages_and_denials_judge_it_too(user: Any, team: Any, days: int) -> None:
    now = timezone.now()
    end = now + timedelta(days=days)
    factories.GrantFactory(user=user, namespace=team, level=Level.WRITE, expires_at=end)
    row = Denial.objects.create(user=user, repository="team/app", action="push", first_at=now, last_at=now)
    with_current_decision([row])
    (shown,) = selectors.effective_access(team, "app", [user])
    assert row.allowed_now is (days > 0)  # type: ignore[attr-defined]
    assert shown.verdict.level == (Level.WRITE if days > 0 else Level.NONE)
    assert [each.expires_at for each in shown.grants] == [end]
    assert bool(selectors.first_push_grant(team.account)) is (days > 0)
    assert example_of(user).may_push is (days > 0)


def test_of_two_grants_the_one_that_lives_counts(user: Any, team: Any) -> None:
    factories.GrantFactory(user=user, namespace=team, level=Level.READ)
    factories.GrantFactory(
        user=user, namespace=team, image_name="app", level=Level.ADMIN, expires_at=NOW + TICK
    )
    assert token_level(user, NOW) == Level.ADMIN
    assert token_level(user, NOW + TICK) == Level.READ
    assert token_level(user, NOW, "team/other") == Level.READ


def test_an_end_takes_nothing_from_what_is_public(user: Any, team: Any) -> None:
    team.public = True
    team.save()
    factories.GrantFactory(user=user, namespace=team, level=Level.ADMIN, expires_at=NOW)
    assert token_level(user, NOW) == Level.READ


def test_giving_over_an_ended_one_renews_it_and_the_audit_log_says_so(
    cast: Cast, user: Any, team: Any
) -> None:
    end, later = NOW, timezone.now() + timedelta(days=7)
    ended = factories.GrantFactory(user=user, namespace=team, expires_at=end)

    again = grants.give(by=cast.by("owner"), namespace=team, user=user, level="write", expires_at=later)
    with pytest.raises(Conflict):
        grants.give(by=cast.by("owner"), namespace=team, user=user, level="read")

    assert again.pk == ended.pk
    assert Grant.objects.get().level == Level.WRITE
    event = AuditEvent.objects.get()
    assert (event.action, event.before, event.after) == (
        "grant.changed",
        {"level": "read", "expires_at": end.isoformat()},
        {"level": "write", "expires_at": later.isoformat()},
    )


def test_one_that_has_ended_counts_against_the_limit_until_it_is_removed(
    cast: Cast, user: Any, team: Any, settings: Any
) -> None:
    settings.MAX_GRANTS_PER_ACCOUNT = 1
    ended = factories.GrantFactory(user=user, namespace=team, image_name="old", expires_at=NOW)
    with pytest.raises(Invalid):
        grants.give(by=cast.by("owner"), namespace=team, user=user, level="read")
    grants.remove(by=cast.by("owner"), grant=ended)
    assert grants.give(by=cast.by("owner"), namespace=team, user=user, level="read").pk


def test_an_end_is_moved_and_taken_away_and_each_is_told(cast: Cast, user: Any, team: Any) -> None:
    by, end = cast.by("owner"), timezone.now() + timedelta(days=7)
    grant = grants.give(by=by, namespace=team, user=user, level="read", expires_at=end)
    grants.change(by=by, grant=grant, level="read", expires_at=end)
    grants.change(by=by, grant=grant, level="read", expires_at=None)
    events = AuditEvent.objects.filter(object_kind="grant").order_by("id")
    assert [(event.before, event.after) for event in events] == [
        ({}, {"level": "read", "expires_at": end.isoformat()}),
        ({"level": "read", "expires_at": end.isoformat()}, {"level": "read"}),
    ]


def test_what_has_ended_keeps_its_end_when_its_level_is_changed(cast: Cast, user: Any, team: Any) -> None:
    end = timezone.now() - timedelta(days=1)
    grant = factories.GrantFactory(user=user, namespace=team, expires_at=end)
    grants.change(by=cast.by("owner"), grant=grant, level="write", expires_at=end)
    assert Grant.objects.get().expires_at == end


@pytest.mark.parametrize("end", [NOW - timedelta(days=365), datetime(9999, 12, 31, tzinfo=UTC)])
def test_an_end_that_is_past_or_beyond_the_calendar_is_refused(
    cast: Cast, user: Any, team: Any, end: datetime
) -> None:
    by, given = cast.by("owner"), factories.GrantFactory(user=user, namespace=team, image_name="other")
    with pytest.raises(Invalid) as refused:
        grants.give(by=by, namespace=team, user=user, level="read", expires_at=end)
    assert set(refused.value.errors) == {"expires_at"}
    with pytest.raises(Invalid) as refused:
        grants.change(by=by, grant=given, level="read", expires_at=end)
    assert set(refused.value.errors) == {"expires_at"}


def test_what_is_removed_meanwhile_is_not_changed(cast: Cast, user: Any, team: Any) -> None:
    grant = factories.GrantFactory(user=user, namespace=team)
    Grant.objects.all().delete()
    with pytest.raises(NotFound):
        grants.change(by=cast.by("owner"), grant=grant, level="write", expires_at=None)


def test_a_denial_of_an_ended_grant_says_what_is_missing(user: Any, team: Any) -> None:
    """As if it had never been given; the list of permissions says that it ended."""
    factories.GrantFactory(user=user, namespace=team, expires_at=NOW)
    digest = user.secrets.get().digest
    caller = queries.load_caller(digests=[digest], repositories=["team/app"], now=NOW)
    assert caller
    verdict = access.decide(caller.contexts["team/app"], Action.PULL)
    assert verdict.reason == "pull denied: no permission on this image"


PERMISSIONS = "/a/team-red/n/team/permissions/"


def end_of(grant: Grant) -> datetime | None:
    return Grant.objects.get(pk=grant.pk).expires_at


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (PERMISSIONS, {"image_name": "app"}),
        ("/a/team-red/n/team/i/app/-/access/", {}),
        ("/a/team-red/users/{}/grants/", {"namespace": "team", "image_name": "app"}),
    ],
)
@pytest.mark.parametrize(
    ("choice", "days"), [("", None), ("never", None), ("1", 1), ("7", 7), ("14", 14), ("30", 30)]
)
def test_each_form_gives_an_end(
    cast: Cast, user: Any, team: Any, path: str, fields: dict[str, str], choice: str, days: int | None
) -> None:
    body = fields | {"user": user.username, "level": "read"} | ({"expiry": choice} if choice else {})
    answer = cast.client("manager").post(path.format(user.username), body)
    assert answer.status_code == 302
    end = Grant.objects.get(image_name="app").expires_at
    assert (end - timezone.now()).days + 1 == days if end else days is None


def test_a_day_lasts_to_its_end_in_the_zone_of_the_installation(
    cast: Cast, user: Any, team: Any, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    body = {"user": user.username, "level": "read", "expiry": "date", "expires_on": "2100-01-31"}
    assert cast.client("owner").post(PERMISSIONS, body).status_code == 302
    assert Grant.objects.get().expires_at == datetime(2100, 1, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("day", ["", "2000-01-01", "soon"])
def test_a_bad_day_is_said_beside_its_field(cast: Cast, user: Any, team: Any, day: str) -> None:
    body = {"user": user.username, "level": "read", "expiry": "date", "expires_on": day}
    answer = cast.client("owner").post(PERMISSIONS, body)
    assert answer.status_code == 400
    assert "expires_on" in answer.context["form"].errors
    assert not Grant.objects.exists()


def test_the_page_of_a_permission_changes_level_and_end(cast: Cast, user: Any, team: Any) -> None:
    end = timezone.now() + timedelta(days=3)
    grant = factories.GrantFactory(user=user, namespace=team, image_name="app", expires_at=end)
    path, client = f"/a/team-red/grants/{grant.pk}/", cast.client("manager")
    assert "unchanged:" in client.get(path).content.decode()

    answer = client.post(path, {"level": "write", "expiry": "keep", "next": PERMISSIONS}, follow=True)
    assert "CI deploy can pull and push team/app until" in answer.content.decode()
    assert answer.redirect_chain[0][0] == PERMISSIONS
    assert end_of(grant) == end

    assert (
        client.post(path, {"level": "write", "expiry": "date", "expires_on": "2000-01-01"}).status_code == 400
    )
    assert end_of(grant) == end
    client.post(path, {"level": "write", "expiry": "never"})
    assert end_of(grant) is None


def test_an_ended_permission_is_shown_as_ended_and_is_renewed_or_removed(
    cast: Cast, user: Any, team: Any
) -> None:
    grant = factories.GrantFactory(user=user, namespace=team, image_name="app", expires_at=NOW)
    path, client = f"/a/team-red/grants/{grant.pk}/", cast.client("owner")
    for shown in (
        PERMISSIONS,
        user.get_absolute_url(),
        "/a/team-red/n/team/",
        "/a/team-red/n/team/i/app/-/access/",
    ):
        page = client.get(shown).content.decode()
        assert "ended" in page
        assert path in page
    page = client.get(path).content.decode()
    assert "It has ended and gives nothing." in page
    assert "unchanged:" not in page
    client.post(path, {"level": "read", "expiry": "7"})
    assert Grant.objects.live(timezone.now()).filter(pk=grant.pk).exists()
    assert client.post(f"{path}remove/").status_code == 302
    assert not Grant.objects.exists()


def test_lists_are_filtered_by_their_end(cast: Cast, user: Any, team: Any) -> None:
    now = timezone.now()
    ends = {
        "for-ever": None,
        "long": timedelta(days=90),
        "soon": timedelta(days=3),
        "over": timedelta(days=-3),
    }
    for name, away in ends.items():
        factories.GrantFactory(
            user=user, namespace=team, image_name=name, expires_at=now + away if away else None
        )
    client, caller = cast.client("viewer"), Caller(token_of(cast.viewer))
    expected = {"": set(ends), "ending": {"soon"}, "ended": {"over"}}
    for state, names in expected.items():
        rows = client.get(f"{PERMISSIONS}?state={state}").context["page"].rows
        assert {row.image_name for row in rows} == names
        told = caller.get(f"accounts/team-red/grants/?state={state}").json()["results"]
        assert {each["image"] for each in told} == names
    assert caller.get("accounts/team-red/grants/?state=live").status_code == 400
    empty = client.get(f"{PERMISSIONS}?state=ended&q=nothing").content.decode()
    assert "nothing" in empty
    Grant.objects.filter(image_name="over").delete()
    assert "No permissions in this state" in client.get(f"{PERMISSIONS}?state=ended").content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("manager", 200), ("viewer", 403), ("stranger", 404)]
)
def test_who_may_open_the_page_of_a_permission(
    cast: Cast, user: Any, team: Any, who: str, status: int
) -> None:
    grant = factories.GrantFactory(user=user, namespace=team)
    path = f"/a/team-red/grants/{grant.pk}/"
    assert cast.client(who).get(path).status_code == status
    answer = cast.client(who).post(path, {"level": "admin", "expiry": "never"})
    assert answer.status_code == (302 if status == 200 else status)
    assert Grant.objects.get().level == (Level.ADMIN if status == 200 else Level.READ)


def test_the_list_of_users_says_when_the_first_permission_ends(cast: Cast, user: Any, team: Any) -> None:
    client, end = cast.client("viewer"), datetime(2100, 1, 31, tzinfo=UTC)
    one = factories.GrantFactory(user=user, namespace=team, image_name="app", expires_at=end)
    assert "read on team/app, until 30 Jan 2100 (UTC)" in client.get("/a/team-red/users/").content.decode()
    factories.GrantFactory(user=user, namespace=team, image_name="web")
    page = client.get("/a/team-red/users/").content.decode()
    assert "read on team/app and team/web; the first ends 30 Jan 2100 (UTC)" in page
    Grant.objects.filter(pk=one.pk).update(expires_at=NOW)
    page = client.get("/a/team-red/users/").content.decode()
    assert "read on team/web" in page
    assert "team/app" not in page


def test_what_somebody_else_changed_meanwhile_stays(cast: Cast, user: Any, team: Any) -> None:
    by, end = cast.by("owner"), timezone.now() + timedelta(days=7)
    grant = factories.GrantFactory(user=user, namespace=team, level=Level.READ)
    before = Grant.objects.get()
    grants.change(by=by, grant=grant, expires_at=end)
    grants.change_levels(by=by, levels=[(before, "write")])
    assert (Grant.objects.get().word, Grant.objects.get().expires_at) == ("write", end)
    grants.change(by=by, grant=grant, expires_at=None)
    assert Grant.objects.get().word == "write"
