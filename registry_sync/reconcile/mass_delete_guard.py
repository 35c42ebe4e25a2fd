"""How much may vanish at once before an operator is asked: a registry may be wiped, replaced or restored. PURE."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SHARE_MAX = 0.2
REPOSITORIES_MAX, FEW_REPOSITORIES = 50, 5
FEW_TAGS = 20


def too_many_repositories(vanishing: int, known: int) -> bool:
    if vanishing == known > 1:
        return True  # an empty volume, whatever its size
    return vanishing > REPOSITORIES_MAX or (vanishing > FEW_REPOSITORIES and vanishing > SHARE_MAX * known)


@dataclass(frozen=True, slots=True)
class RepositoryLoss:
    """Of one repository: whose it is, how many tags would vanish, and how many it has."""

    account: int
    vanishing: int
    known: int


def needing_approval(losses: Mapping[str, RepositoryLoss], before: Mapping[int, int]) -> set[str]:
    """Return the repositories of which nothing goes.

    Of each account that loses too much, and where all others together do, theirs too. Who loses much takes nobody with
    him. `before`: account → tags lost in other parts of the same run.
    """
    names_of: dict[int, list[str]] = defaultdict(list)
    for name, loss in losses.items():
        names_of[loss.account].append(name)
    protected = [
        name
        for account, names in names_of.items()
        if _too_many((losses[name] for name in names), before.get(account, 0))
        for name in names
    ]
    others = losses.keys() - protected
    other_accounts = {losses[name].account for name in others}
    if _too_many(
        (losses[name] for name in others), sum(before.get(account, 0) for account in other_accounts)
    ):
        protected += others
    return {name for name in protected if losses[name].vanishing}


def _too_many(losses: Iterable[RepositoryLoss], before: int) -> bool:
    some = list(losses)
    return too_many_tags(sum(loss.vanishing for loss in some), sum(loss.known for loss in some), before)


def too_many_tags(vanishing: int, known: int, before: int = 0) -> bool:
    """Return whether some repositories in one part of a run lose too many tags without an event.

    People and rules clear up more than that. `before`: in its other parts, so that no loss hides in many small ones.
    """
    return before + vanishing > FEW_TAGS and vanishing > SHARE_MAX * known
