"""The text that Prometheus reads, read back by the library's own parser."""

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from accounts.common.counts import Counter, Durations
from manager.metrics import exposition
from manager.metrics.gauge import Gauge, one, seconds


@pytest.fixture
def families() -> dict[str, list[tuple[str, dict[str, str], float]]]:
    things = Counter("things_total", "Things.", label="kind", values=("good", "other"), among=[])
    times = Durations("thing_seconds", "Time.", label="kind", values=("good",), buckets=(0.1, 1.0), among=[])
    things.add("good", 3)
    for taken in (0.05, 0.5, 0.5, 5.0):
        times.add("good", taken)
    totals = [(each, each.numbers()) for each in (things, times)]
    gauges = [one("one", "One.", 1.5), Gauge("two", "Two.", {"a": 1.0, "b": 2.0}, "kind")]
    text = exposition.write(totals, gauges).decode()
    return {
        family.name: [(each.name, each.labels, each.value) for each in family.samples]
        for family in text_string_to_metric_families(text)
    }


Families = dict[str, list[tuple[str, dict[str, str], float]]]


def test_counters(families: Families) -> None:
    assert families["things"] == [
        ("things_total", {"kind": "good"}, 3),
        ("things_total", {"kind": "other"}, 0),
    ]


def test_histograms_add_up(families: Families) -> None:
    found = {(name, labels.get("le")): value for name, labels, value in families["thing_seconds"]}
    assert found == {
        ("thing_seconds_bucket", "0.1"): 1,
        ("thing_seconds_bucket", "1.0"): 3,
        ("thing_seconds_bucket", "+Inf"): 4,
        ("thing_seconds_count", None): 4,
        ("thing_seconds_sum", None): 6.05,
    }


def test_gauges(families: Families) -> None:
    assert families["one"] == [("one", {}, 1.5)]
    assert families["two"] == [("two", {"kind": "a"}, 1), ("two", {"kind": "b"}, 2)]


def test_moments() -> None:
    assert seconds(None) == 0
    assert seconds(datetime(1970, 1, 2, tzinfo=UTC)) == 86400
