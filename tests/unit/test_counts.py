"""What a process counts: no series that nobody declared, all of them from the start, and sums over processes."""

from threading import Thread

import pytest

from accounts.common import counts
from accounts.common.counts import Counter, Durations


def counter() -> Counter:
    return Counter("things_total", "Things.", label="kind", values=("good", "bad", "other"), among=[])


def durations() -> Durations:
    return Durations(
        "thing_seconds", "Time.", label="kind", values=("good", "other"), buckets=(0.1, 1.0), among=[]
    )


def test_they_are_found_where_they_are_declared() -> None:
    declared: list[counts.Declared] = []
    things = Counter("things_total", "Things.", label="kind", values=("good",), among=declared)
    times = Durations("x_seconds", "Time.", label="kind", values=("good",), buckets=(), among=declared)
    assert declared == [things, times]
    try:
        assert Counter("y_total", "Things.", label="kind", values=("good",)) is counts.ALL[-1]
        assert Durations("y", "Time.", label="kind", values=("good",), buckets=()) is counts.ALL[-1]
    finally:
        counts.ALL[:] = [each for each in counts.ALL if each.name not in ("y_total", "y")]


def test_all_are_there_from_the_start() -> None:
    assert counts.snapshot([counter(), durations()]) == {
        "things_total": {"good": [0], "bad": [0], "other": [0]},
        "thing_seconds": {"good": [0, 0, 0, 0], "other": [0, 0, 0, 0]},
    }


def test_what_nobody_declared_makes_no_series() -> None:
    things, times = counter(), durations()
    for value in ("../../etc/passwd", "good\n", "", "x" * 10_000):
        things.add(value)
        times.add(value, 0.5)
    assert things.numbers() == {"good": [0], "bad": [0], "other": [4]}
    assert times.numbers() == {"good": [0, 0, 0, 0], "other": [0, 4, 0, 2.0]}


def test_counters_grow() -> None:
    things = counter()
    things.add("good")
    things.add("good", 2)
    assert things.numbers()["good"] == [3]


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (0.1, 0), (0.11, 1), (1.0, 1), (1.5, 2)])
def test_a_bucket_holds_its_bound(seconds: float, bucket: int) -> None:
    times = durations()
    times.add("good", seconds)
    assert times.numbers()["good"] == [*(int(each == bucket) for each in range(3)), seconds]


def test_nothing_is_lost_between_threads() -> None:
    things = counter()
    threads = [Thread(target=lambda: [things.add("good") for _each in range(5000)]) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert things.numbers()["good"] == [20_000]


def test_snapshots_are_added_up() -> None:
    things, times = counter(), durations()
    things.add("bad", 2)
    times.add("good", 0.5)
    several = [counts.snapshot([things, times])] * 2
    assert counts.total(several, things) == {"good": [0], "bad": [4], "other": [0]}
    assert counts.total(several, times)["good"] == [0, 2, 0, 1.0]


def test_what_another_build_wrote_otherwise_is_left() -> None:
    """A worker of the build before, which counted by other buckets and values, ended a moment ago."""
    times = durations()
    old = {"thing_seconds": {"good": [1, 1], "gone": [1, 1, 1, 1]}, "another": {"good": [1]}}
    assert counts.total([old, {}], times) == {"good": [0, 0, 0, 0], "other": [0, 0, 0, 0]}
