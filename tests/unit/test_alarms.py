"""What makes push and pull fail, the worst first."""

from datetime import UTC, datetime, timedelta

from registry_sync.alarms import Alarm, HealthSigns, alarms

NOW = datetime(2026, 2, 21, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=5)


def test_nothing_is_wrong_where_nothing_was_found() -> None:
    assert alarms(HealthSigns(answered_at=NOW, worker_at=NOW)) == {}


def test_each_comes_with_its_beginning_the_worst_first() -> None:
    found = alarms(
        HealthSigns(unsigned_since=NOW, refused_since=EARLIER, unreachable_since=NOW, read_only=True)
    )
    assert list(found.items()) == [
        (Alarm.UNREACHABLE, NOW),
        (Alarm.TOKENS_REFUSED, EARLIER),
        (Alarm.TOKENS_UNSIGNED, NOW),
        (Alarm.READ_ONLY, None),
    ]


def test_what_a_silent_worker_found_last_is_no_news() -> None:
    signs = HealthSigns(unreachable_since=EARLIER, worker_at=EARLIER, no_worker=True, read_only=True)
    assert alarms(signs) == {Alarm.READ_ONLY: None, Alarm.NO_WORKER: EARLIER}


def test_while_garbage_is_collected_that_it_does_not_answer_is_meant() -> None:
    signs = HealthSigns(unreachable_since=EARLIER, refused_since=NOW, collecting=True)
    assert alarms(signs) == {Alarm.COLLECTING: None}
    assert list(alarms(HealthSigns(read_only=True, collecting=True))) == [Alarm.READ_ONLY, Alarm.COLLECTING]
