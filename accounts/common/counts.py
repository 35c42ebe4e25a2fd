"""Counts of what this process did since it started, in memory; manager/metrics hands them out. PURE.

Each has one label with few values that are known beforehand, so that nothing a client sends makes a new series. All of
them are there from the start, with 0: a rate sees the first one that happens.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

# Label value → numbers: one for a Counter; for Durations one for each bucket, one for what is longer, and the sum.
Numbers = Mapping[str, Sequence[float]]


class Counter:
    """How many there were of each value of `label`. What is not in `values` counts as the last of them."""

    def __init__(
        self,
        name: str,
        about: str,
        *,
        label: str,
        values: Sequence[str],
        among: "list[Declared] | None" = None,
    ) -> None:
        self.name, self.about, self.label = name, about, label
        self._lock, self._other = Lock(), values[-1]
        self._counts = dict.fromkeys(values, 0)
        (ALL if among is None else among).append(self)

    def add(self, value: str, count: int = 1) -> None:
        if value not in self._counts:
            value = self._other
        with self._lock:
            self._counts[value] += count

    def numbers(self) -> dict[str, list[float]]:
        with self._lock:
            return {value: [count] for value, count in self._counts.items()}


class Durations:
    """How many took at most so many seconds, for each value of `label`. What is not in `values` is the last of them."""

    def __init__(
        self,
        name: str,
        about: str,
        *,
        label: str,
        values: Sequence[str],
        buckets: Sequence[float],
        among: "list[Declared] | None" = None,
    ) -> None:
        self.name, self.about, self.label, self.buckets = name, about, label, tuple(buckets)
        self._lock, self._other = Lock(), values[-1]
        self._numbers: dict[str, list[float]] = {value: [0] * (len(buckets) + 2) for value in values}
        (ALL if among is None else among).append(self)

    def add(self, value: str, seconds: float) -> None:
        numbers = self._numbers.get(value) or self._numbers[self._other]
        bucket = bisect_left(self.buckets, seconds)
        with self._lock:
            numbers[bucket] += 1
            numbers[-1] += seconds

    def numbers(self) -> dict[str, list[float]]:
        with self._lock:
            return {value: [*numbers] for value, numbers in self._numbers.items()}


Declared = Counter | Durations
ALL: Final[list[Declared]] = []  # where they are declared `among` no others


def snapshot(of: Iterable[Declared]) -> dict[str, dict[str, list[float]]]:
    """Return name → numbers."""
    return {each.name: each.numbers() for each in of}


def total(snapshots: Sequence[Mapping[str, Numbers]], of: Declared) -> dict[str, list[float]]:
    """Return the sums of `of` over the snapshots of several processes. What an older build wrote otherwise is left."""
    sums = {value: [0.0] * len(numbers) for value, numbers in of.numbers().items()}
    for each in snapshots:
        for value, numbers in each.get(of.name, {}).items():
            if len(sums.get(value, ())) == len(numbers):
                sums[value] = [left + right for left, right in zip(sums[value], numbers, strict=True)]
    return sums
