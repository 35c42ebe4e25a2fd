import pytest

from accounts.common.milestones import is_due


@pytest.mark.parametrize(
    ("left", "since", "due"),
    [
        (30, 1, True),
        (29, 1, False),
        (7, 1, True),
        (6, 1, False),
        (6, 2, True),  # nobody could be told yesterday
        (1, 1, True),
        (0, 1, True),
        (0, 0, False),  # told today already
        (20, None, True),
        (31, None, False),
        (29, 400, True),
    ],
)
def test_each_milestone_is_told_once(left: int, since: int | None, due: bool) -> None:
    assert is_due(left, since) is due


def test_who_is_told_every_day_is_told_four_times() -> None:
    assert [left for left in range(60, -1, -1) if is_due(left, 1)] == [30, 7, 1, 0]
