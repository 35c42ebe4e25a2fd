"""Webhooks are told of users: of many denied requests, and of what ends soon."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import Denial, RegistryUser
from namespaces.models import DenialWatch, Webhook, WebhookDelivery
from namespaces.services import webhooks
from namespaces.webhooks import denied_bursts, expiring
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def hook(cast: Cast, *types: str, **given: Any) -> Webhook:
    return webhooks.create(
        by=cast.by("owner"), account=cast.account, url="https://hooks.example.com", format="cloudevents",
        event_types=list(types or ["user.denied", "user.expiring"]), **given,
    ).webhook  # fmt: skip


def denied(user: RegistryUser, number: int, at: datetime, repository: str = "team/app") -> None:
    row, _new = Denial.objects.get_or_create(
        user=user,
        repository=repository,
        action="push",
        defaults={"first_at": at, "last_at": at, "reason": "no"},
    )
    Denial.objects.filter(pk=row.pk).update(count=F("count") + number, last_at=at)


def told() -> list[tuple[str, int]]:
    rows = WebhookDelivery.objects.filter(event_type="user.denied").order_by("id")
    return [(row.subject, row.data["denials"]) for row in rows]


def looks(start: datetime, minutes: int) -> None:
    for minute in range(minutes):
        denied_bursts.look(now=start + minute * MINUTE)


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    made: RegistryUser = factories.RegistryUserFactory(account=cast.account)
    return made


def test_twenty_denials_in_ten_minutes_are_told_once_an_hour(cast: Cast, user: RegistryUser) -> None:
    now = timezone.now() + MINUTE
    hook(cast)
    denied(user, 19, now)
    assert denied_bursts.look(now=now) == 0
    denied(user, 1, now + MINUTE, "team/other")
    assert denied_bursts.look(now=now + MINUTE) == 1
    assert told() == [(user.username, 20)]
    row = WebhookDelivery.objects.get()
    assert (row.data["repository"], row.data["action"], row.data["user"]) == (
        "team/other",
        "push",
        user.username,
    )
    for minute in range(2, 59):
        denied(user, 5, now + minute * MINUTE)
        denied_bursts.look(now=now + minute * MINUTE)
    assert len(told()) == 1
    for minute in range(59, 64):
        denied(user, 5, now + minute * MINUTE)
        denied_bursts.look(now=now + minute * MINUTE)
    assert len(told()) == 2


def test_few_denials_over_a_long_time_are_no_burst(cast: Cast, user: RegistryUser) -> None:
    now = timezone.now() + MINUTE
    hook(cast)
    for minute in range(120):
        denied(user, 1, now + minute * MINUTE)
        denied_bursts.look(now=now + minute * MINUTE)
    assert told() == []


def test_a_burst_of_who_was_denied_long_ago_counts_what_is_new(cast: Cast, user: RegistryUser) -> None:
    now = timezone.now()
    denied(user, 100, now - timedelta(days=2))
    hook(cast)
    looks(now, 3)
    assert told() == []
    later = now + timedelta(days=1)
    denied(user, 25, later)
    looks(later, 3)
    assert told() == [(user.username, 25)]


def test_what_was_forgotten_meanwhile_is_no_trouble(cast: Cast, user: RegistryUser) -> None:
    now = timezone.now() + MINUTE
    hook(cast)
    denied(user, 15, now)
    denied_bursts.look(now=now)
    Denial.objects.all().delete()
    denied(user, 3, now + MINUTE)
    looks(now + MINUTE, 2)
    assert told() == []
    watch = DenialWatch.objects.get()
    assert str(watch) == f"{user}: {watch.count}"
    pk = watch.pk
    watch.delete()
    assert not denied_bursts._compare(pk, now)


def test_it_is_looked_for_where_somebody_wants_to_know(cast: Cast, user: RegistryUser) -> None:
    now = timezone.now() + MINUTE
    assert not denied_bursts.wanted()
    row = hook(cast, "user.expiring")
    assert not denied_bursts.wanted()
    webhooks.change(by=cast.by("owner"), webhook=row, event_types=["user.denied"])
    assert denied_bursts.wanted()
    stranger = factories.RegistryUserFactory(account=cast.elsewhere)
    denied(stranger, 50, now)
    assert denied_bursts.look(now=now) == 0
    webhooks.set_enabled(by=cast.by("owner"), webhook=row, enabled=False)
    assert not denied_bursts.wanted()


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ends_in(days: int) -> datetime:
    return NOON + timedelta(days=days, hours=12)


def test_what_ends_soon_is_told_on_the_days_of_the_mails(cast: Cast) -> None:
    row = hook(cast)
    user = factories.RegistryUserFactory(account=cast.account, expires_at=ends_in(7))
    factories.RegistryUserFactory(account=cast.elsewhere, expires_at=ends_in(7))
    other = factories.RegistryUserFactory(account=cast.account)
    other.secrets.update(expires_at=ends_in(30))
    grant = factories.GrantFactory(user=other, expires_at=ends_in(1))
    assert expiring.tell_due(now=NOON.replace(hour=6)) == 0
    assert expiring.tell_due(now=NOON) == 3
    assert expiring.tell_due(now=NOON) == 0
    found = {row.data["expiring"]: row.data for row in WebhookDelivery.objects.all()}
    assert (found["user"]["user"], found["user"]["daysLeft"]) == (user.username, 7)
    assert found["password"]["password"]
    assert found["permission"]["permission"] == f"{grant.word} {grant.target}"
    assert row.deliveries.count() == 3
    assert expiring.tell_due(now=NOON + timedelta(days=1)) == 1  # the grant ends today


def test_nobody_is_told_who_did_not_ask(cast: Cast) -> None:
    factories.RegistryUserFactory(account=cast.account, expires_at=ends_in(7))
    hook(cast, "user.denied")
    assert expiring.tell_due(now=NOON) == 0
    row = hook(cast, "user.expiring")
    stale = Webhook.objects.get(pk=row.pk)
    assert expiring.tell_due(now=NOON) == 1
    assert expiring._tell(stale, [], NOON.date(), UTC) == 0  # another worker was quicker
