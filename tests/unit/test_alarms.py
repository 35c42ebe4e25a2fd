"""What makes push and pull fail, the worst first."""

from datetime import UTC, datetime, timedelta

from registry_sync.alarms import Alarm, HealthSigns, alarms

NOW = datetime(2026, 2, 21, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)


def test_nothing_is_wrong_where_nothing_was_found() -> None:
    assert alarms(HealthSigns(answered_at=NOW, worker_at=NOW)) == {}


def test_each_comes_with_its_beginning_the_worst_first() -> None:
    found = alarms(HealthSigns(unsigned_since=NOW, refused_since=EARLIER, silent_since=NOW, frozen=True))
    assert list(found.items()) == [
        (Alarm.SILENT, NOW),
        (Alarm.REFUSED, EARLIER),
        (Alarm.UNSIGNED, NOW),
        (Alarm.FROZEN, None),
    ]


def test_what_a_silent_worker_found_last_is_no_news() -> None:
    signs = HealthSigns(silent_since=EARLIER, worker_at=EARLIER, asleep=True, frozen=True)
    assert alarms(signs) == {Alarm.FROZEN: None, Alarm.ASLEEP: EARLIER}
