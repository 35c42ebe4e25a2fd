"""The text that Prometheus reads. Only imported where metrics are on: the library stays out of every other process."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.registry import Collector

from accounts.common.counts import Counter, Declared
from manager.metrics.gauge import Gauge

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0
Totals = Iterable[tuple[Declared, dict[str, list[float]]]]


def write(totals: Totals, gauges: Iterable[Gauge]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*(_total(*each) for each in totals), *(_gauge(each) for each in gauges)]))
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _total(of: Declared, sums: dict[str, list[float]]) -> Metric:
    if isinstance(of, Counter):
        counter = CounterMetricFamily(of.name, of.about, labels=[of.label])
        for value, (count,) in sums.items():
            counter.add_metric([value], count)
        return counter
    histogram = HistogramMetricFamily(of.name, of.about, labels=[of.label])
    bounds = [*map(str, of.buckets), "+Inf"]
    for value, (*counts, seconds) in sums.items():
        so_far = 0.0
        buckets = []
        for bound, count in zip(bounds, counts, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        histogram.add_metric([value], buckets, sum_value=seconds)
    return histogram


def _gauge(of: Gauge) -> Metric:
    gauge = GaugeMetricFamily(of.name, of.about, labels=[of.label] if of.label else [])
    for value, number in of.values.items():
        gauge.add_metric([value] if of.label else [], number)
    return gauge
