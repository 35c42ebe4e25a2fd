"""How the files of tests are shared among the workers of pytest-xdist, so that all of these end at about one time."""

from collections import Counter

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
