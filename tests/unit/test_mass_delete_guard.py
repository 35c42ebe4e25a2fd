"""How much may vanish at once."""

import pytest

from registry_sync.reconcile.mass_delete_guard import (
    RepositoryLoss,
    needing_approval,
    too_many_repositories,
    too_many_tags,
)


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


def test_who_loses_much_takes_nobody_with_him() -> None:
    losses = {
        "a/one": RepositoryLoss(1, 15, 20),
        "a/two": RepositoryLoss(1, 15, 20),
        "a/whole": RepositoryLoss(1, 0, 9),
        "b/app": RepositoryLoss(2, 1, 3),
    }
    assert needing_approval(losses, {}) == {"a/one", "a/two"}


def test_what_all_lose_together_is_held_of_all() -> None:
    losses = {f"{number}/app": RepositoryLoss(number, 3, 9) for number in range(7)}
    assert needing_approval(losses, {}) == set(losses)
    assert needing_approval({name: losses[name] for name in list(losses)[:6]}, {}) == set()


def test_who_loses_much_does_not_hide_what_the_others_lose() -> None:
    losses = {f"{number}/app": RepositoryLoss(number, 3, 9) for number in range(7)}
    assert needing_approval(losses | {"x/app": RepositoryLoss(99, 100, 100)}, {}) == {*losses, "x/app"}
    assert needing_approval(
        losses | {"x/app": RepositoryLoss(99, 1000, 1000), "y/app": RepositoryLoss(98, 0, 1000)}, {}
    ) == {"x/app"}


def test_a_loss_in_many_small_parts_is_one() -> None:
    losses = {"a/app": RepositoryLoss(1, 5, 5), "b/app": RepositoryLoss(2, 1, 9)}
    assert needing_approval(losses, {1: 14}) == set()
    assert needing_approval(losses, {1: 16}) == {"a/app"}
    assert (
        needing_approval({"a/app": RepositoryLoss(1, 5, 30)}, {1: 1000}) == set()
    )  # of much that stays somebody clears up some
    assert needing_approval(
        {f"{n}/app": RepositoryLoss(n, 1, 1) for n in range(3)}, dict.fromkeys(range(3), 7)
    ) == {f"{n}/app" for n in range(3)}
