"""How much may vanish at once."""

import pytest

from registry_sync.sync.guard import too_many_repositories, too_many_tags


@pytest.mark.parametrize(
    ("vanishing", "known", "held"),
    [
        (0, 0, False),
        (1, 1, False),
        (2, 2, True),  # all of them
        (5, 6, False),
        (6, 29, True),
        (6, 30, False),
        (50, 10_000, False),
        (51, 10_000, True),
    ],
)
def test_repositories(vanishing: int, known: int, held: bool) -> None:
    assert too_many_repositories(vanishing, known) is held


@pytest.mark.parametrize(
    ("vanishing", "known", "held"),
    [
        (0, 0, False),
        (20, 20, False),
        (21, 21, True),
        (21, 104, True),
        (21, 105, False),
        (5_000, 30_000, False),
    ],
)
def test_tags(vanishing: int, known: int, held: bool) -> None:
    assert too_many_tags(vanishing, known) is held
