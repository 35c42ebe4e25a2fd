"""Which tests run, and how the workers of pytest-xdist share their files, so that all of them end at about one time."""

import random
from collections import Counter, defaultdict

import pytest
from xdist.scheduler import LoadFileScheduling

# One installation and one browser serve them all.
TOGETHER = "tests/e2e"


class ByFile(LoadFileScheduling):
    """What the tests of a file share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(f"{TOGETHER}/") else super()._split_scope(nodeid)


def long_ones_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files marked `long`, then those with many tests; of one file in the order they have."""
    tests = Counter(item.path for item in items)
    long = {
        item.path for item in items if item.get_closest_marker("long") or item.nodeid.startswith(TOGETHER)
    }
    return sorted(items, key=lambda item: (item.path not in long, -tests[item.path]))


def some_of_each(
    items: list[pytest.Item], most: int, *, seed: object
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return those that run and those that do not: of a test with more than `most` parameters, so many."""
    by_test = defaultdict(list)
    for item in items:
        by_test[item.nodeid.partition("[")[0]].append(item)
    kept = set[pytest.Item]()
    for name, each in by_test.items():
        kept.update(random.Random(f"{seed} {name}").sample(each, min(most, len(each))))
    return [item for item in items if item in kept], [item for item in items if item not in kept]
