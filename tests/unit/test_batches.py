"""Long lists are cut into parts, and nothing gets lost."""

import pytest

from accounts.common.batches import BATCH, batches


@pytest.mark.parametrize(
    ("count", "lengths"), [(0, []), (1, [1]), (BATCH, [BATCH]), (2 * BATCH + 1, [BATCH, BATCH, 1])]
)
def test_a_list_is_cut_into_parts_of_at_most_so_many(count: int, lengths: list[int]) -> None:
    things = list(range(count))
    parts = list(batches(things))
    assert [len(part) for part in parts] == lengths
    assert [thing for part in parts for thing in part] == things
