"""What ends soon is told to who can do something about it, once a day at most."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Member, OutgoingMail, Person, RegistryUser, Secret
from namespaces import expiry_mail
from registry_sync import tasks
from tests import factories
from tests.cast import Cast
from tests.django.attacks.together import raised, together

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def send(mailoutbox: list[Any], now: datetime = NOON) -> dict[str, str]:
    """Return what each got, by address."""
    mailoutbox.clear()
    count = expiry_mail.send_due(now=now)
    assert count == len(mailoutbox)
    return {each.to[0]: f"{each.subject}\n{each.body}" for each in mailoutbox}


def user_of(cast: Cast, **more: Any) -> RegistryUser:
    made: RegistryUser = factories.RegistryUserFactory(account=cast.account, description="CI deploy", **more)
    return made


def test_owners_and_managers_are_told(cast: Cast, mailoutbox: list[Any]) -> None:
    user = user_of(cast, expires_at=NOON + 7 * DAY)
    told = send(mailoutbox)
    assert set(told) == {"owner@example.com", "manager@example.com"}
    text = told["owner@example.com"]
    assert text.startswith("1 user, password or permission ends soon")
    assert f"CI deploy ({user.username}): the user expires on" in text
    assert "(UTC)" in text
    assert user.get_absolute_url() in text


def test_each_is_told_at_30_7_and_1_days_and_on_the_day(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 40 * DAY)
    days = [
        left for left in range(40, -2, -1) if send(mailoutbox, NOON + (40 - left) * DAY - timedelta(hours=1))
    ]
    assert days == [30, 7, 1, 0]


def test_a_whole_day_ends_with_it(cast: Cast, mailoutbox: list[Any]) -> None:
    """24:00 of a day belongs to it, not to the next."""
    user_of(cast, expires_at=datetime(2026, 5, 5, tzinfo=UTC))
    Person.objects.update(expiry_told_on=(NOON - DAY).date())
    assert "the user expires on 4 May 2026 (UTC)." in send(mailoutbox)["owner@example.com"]


def test_nobody_is_told_twice_a_day(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 7 * DAY)
    assert send(mailoutbox)
    user_of(cast, expires_at=NOON + 7 * DAY)
    assert not send(mailoutbox)
    assert not send(mailoutbox, NOON + timedelta(hours=5))


def test_nobody_is_told_in_the_night(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 7 * DAY)
    assert not send(mailoutbox, NOON.replace(hour=6, minute=59))
    assert send(mailoutbox, NOON.replace(hour=7, minute=0))


def test_a_day_without_a_worker_is_made_up_for(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 7 * DAY)
    Person.objects.update(expiry_told_on=(NOON - DAY).date())
    assert send(mailoutbox, NOON + 2 * DAY)


def test_one_mail_has_all_accounts_of_a_person(cast: Cast, mailoutbox: list[Any]) -> None:
    Member.objects.create(account=cast.elsewhere, person=cast.manager, role="manager")
    user_of(cast, expires_at=NOON + 7 * DAY)
    factories.RegistryUserFactory(account=cast.elsewhere, description="Theirs", expires_at=NOON + DAY)
    told = send(mailoutbox)
    assert set(told) == {"owner@example.com", "manager@example.com", "stranger@example.com"}
    assert "CI deploy" in told["manager@example.com"]
    assert "Theirs" in told["manager@example.com"]
    assert told["manager@example.com"].startswith("2 users, passwords and permissions end soon")
    assert "Theirs" not in told["owner@example.com"]
    assert "CI deploy" not in told["stranger@example.com"]


def test_passwords_and_permissions_are_told_of(cast: Cast, mailoutbox: list[Any]) -> None:
    user = user_of(cast)
    Secret.objects.filter(user=user).update(expires_at=NOON + 7 * DAY, hint="LSj1")
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.GrantFactory(user=user, namespace=namespace, level=2, image_name="api", expires_at=NOON + DAY)
    text = send(mailoutbox)["owner@example.com"]
    assert f"CI deploy ({user.username}): its password …LSj1 ends on" in text
    assert f"CI deploy ({user.username}): its permission write on team/api ends on" in text


def test_what_ends_with_its_user_is_told_once(cast: Cast, mailoutbox: list[Any]) -> None:
    user = user_of(cast, expires_at=NOON + DAY)
    Secret.objects.filter(user=user).update(expires_at=NOON + 7 * DAY)
    assert send(mailoutbox)["owner@example.com"].startswith("1 user, password")


def test_a_password_that_use_keeps_alive_is_not_told_of(cast: Cast, mailoutbox: list[Any]) -> None:
    user = user_of(cast)
    Secret.objects.filter(user=user).update(retires_at=NOON + 7 * DAY, retire_after_unused_days=7)
    assert not send(mailoutbox)
    Secret.objects.filter(user=user).update(retire_after_unused_days=None)
    assert send(mailoutbox)


def test_of_a_password_that_use_keeps_alive_its_last_end_is_told(cast: Cast, mailoutbox: list[Any]) -> None:
    """Not the moment that each use moves on, which is as far away every day."""
    user = user_of(cast)
    days = []
    for left in range(31, -1, -1):
        now = NOON + (31 - left) * DAY
        Secret.objects.filter(user=user).update(
            expires_at=NOON + 31 * DAY + timedelta(hours=1),
            retires_at=now + 7 * DAY,
            retire_after_unused_days=7,
        )
        if send(mailoutbox, now):
            days.append(left)
    assert days == [30, 7, 1, 0]


@pytest.mark.parametrize("what", ["disabled", "closed", "expired", "late"])
def test_what_nobody_can_use_or_is_far_is_not_told_of(cast: Cast, mailoutbox: list[Any], what: str) -> None:
    user = user_of(cast, expires_at=NOON + 7 * DAY)
    match what:
        case "disabled":
            RegistryUser.objects.update(disabled_at=NOON)
        case "closed":
            type(cast.account).objects.filter(pk=cast.account.pk).update(closed_at=NOON)
        case "expired":
            RegistryUser.objects.update(expires_at=NOON)
        case "late":
            RegistryUser.objects.update(expires_at=NOON + 32 * DAY)
    Secret.objects.filter(user=user).update(expires_at=NOON + 7 * DAY if what != "late" else None)
    assert not send(mailoutbox)


def test_who_left_or_may_not_sign_in_is_not_told(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 7 * DAY)
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    Member.objects.filter(person=cast.manager).update(role="viewer")
    assert not send(mailoutbox)


def test_each_is_told_in_their_language(cast: Cast, mailoutbox: list[Any]) -> None:
    user_of(cast, expires_at=NOON + 7 * DAY)
    Person.objects.filter(pk=cast.manager.pk).update(language="fr")
    told = send(mailoutbox)
    assert "l’utilisateur expire le" in told["manager@example.com"]
    assert "the user expires on" in told["owner@example.com"]


def test_a_long_list_is_cut_and_counted(cast: Cast, mailoutbox: list[Any]) -> None:
    for _each in range(expiry_mail.SHOWN + 3):
        user_of(cast, expires_at=NOON + 7 * DAY)
    text = send(mailoutbox)["owner@example.com"]
    assert text.startswith(f"{expiry_mail.SHOWN + 3} users, passwords and permissions end soon")
    assert text.count("the user expires on") == expiry_mail.SHOWN
    assert "And 3 more." in text


def test_the_worker_sends_them(cast: Cast, settings: Any) -> None:
    settings.EMAIL_BACKEND = "accounts.outbox.OutboxBackend"
    user_of(cast, expires_at=timezone.now() + 7 * DAY)
    zone = timezone.get_default_timezone()
    tasks.daily()
    expected = 2 if timezone.now().astimezone(zone).hour >= expiry_mail.MORNING else 0
    assert OutgoingMail.objects.count() == expected
    tasks.daily()
    assert OutgoingMail.objects.count() == expected


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once(cast: Cast, settings: Any) -> None:
    settings.EMAIL_BACKEND = "accounts.outbox.OutboxBackend"
    user_of(cast, expires_at=NOON + 7 * DAY)
    assert raised(together([partial(expiry_mail.send_due, now=NOON)] * 4)) == []
    assert OutgoingMail.objects.count() == 2
