"""What happened to a person's ways in: kept for them, and never more than has a place."""

from datetime import timedelta

from django.utils import timezone

from accounts import security_events
from accounts.models import SecurityEvent
from accounts.principal import Principal
from accounts.security_events import Kind
from accounts.views.request import visitor
from tests.cast import Cast


def guesser(address: str) -> Principal:
    return visitor({"REMOTE_ADDR": address, "HTTP_USER_AGENT": "curl/8.14"})


def noted(cast: Cast) -> list[SecurityEvent]:
    return list(SecurityEvent.objects.filter(person=cast.owner))


def test_it_says_from_where_with_what_and_who_it_was_if_another(cast: Cast) -> None:
    security_events.note(person_id=cast.owner.pk, kind=Kind.SIGNED_IN, by=cast.by("owner"))
    security_events.note(person_id=cast.owner.pk, kind=Kind.DISABLED, by=cast.by("manager"), detail="gone")
    last, first = noted(cast)
    assert (first.actor, first.detail) == ("", "")
    assert (last.actor, last.detail, last.address) == (cast.manager.email, "gone", cast.by("manager").address)


def test_failed_sign_ins_from_one_address_are_one_event_a_day(cast: Cast) -> None:
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        security_events.note(person_id=cast.owner.pk, kind=Kind.SIGN_IN_FAILED, by=guesser(address))
    assert [(each.address, each.count, each.client) for each in noted(cast)] == [
        ("192.0.2.2", 1, "curl/8.14"),
        ("192.0.2.1", 2, "curl/8.14"),
    ]
    SecurityEvent.objects.update(at=timezone.now() - security_events.TOGETHER)
    security_events.note(person_id=cast.owner.pk, kind=Kind.SIGN_IN_FAILED, by=guesser("192.0.2.1"))
    assert [each.count for each in noted(cast)] == [1, 1, 2]


def test_who_guesses_wipes_out_nothing_else(cast: Cast) -> None:
    security_events.note(person_id=cast.owner.pk, kind=Kind.SIGNED_IN, by=cast.by("owner"))
    for number in range(security_events.FAILED_KEPT + 3):
        security_events.note(
            person_id=cast.owner.pk, kind=Kind.SIGN_IN_FAILED, by=guesser(f"192.0.2.{number}")
        )
    kinds = [each.kind for each in noted(cast)]
    assert kinds.count(Kind.SIGN_IN_FAILED) == security_events.FAILED_KEPT
    assert kinds.count(Kind.SIGNED_IN) == 1


def test_the_last_of_each_person_are_kept(cast: Cast) -> None:
    now, most = timezone.now(), security_events.KEPT - security_events.FAILED_KEPT
    SecurityEvent.objects.bulk_create(
        SecurityEvent(person=person, kind=Kind.SIGNED_IN, at=now - timedelta(minutes=n))
        for person in (cast.owner, cast.viewer)
        for n in range(most)
    )
    security_events.note(person_id=cast.owner.pk, kind=Kind.SIGNED_OUT, by=cast.by("owner"))
    assert len(noted(cast)) == most
    assert noted(cast)[0].kind == Kind.SIGNED_OUT
    assert SecurityEvent.objects.filter(person=cast.viewer).count() == most


def test_old_ones_are_forgotten(cast: Cast) -> None:
    now = timezone.now()
    for age in (timedelta(0), security_events.KEPT_FOR + timedelta(seconds=1)):
        SecurityEvent.objects.create(person=cast.owner, kind=Kind.SIGNED_IN, at=now - age)
    security_events.forget_old(now)
    assert [each.at for each in noted(cast)] == [now]
