"""How much may vanish at once before an operator is asked: a registry may be wiped, replaced or restored. PURE."""

SHARE = 0.2
REPOSITORIES, FEW_REPOSITORIES = 50, 5
FEW_TAGS = 20


def too_many_repositories(vanishing: int, known: int) -> bool:
    if vanishing == known > 1:
        return True  # an empty volume, whatever its size
    return vanishing > REPOSITORIES or (vanishing > FEW_REPOSITORIES and vanishing > SHARE * known)


def too_many_tags(vanishing: int, known: int) -> bool:
    """Of the repositories of one part of a run, that no event told of: people and rules clear up more than that."""
    return vanishing > FEW_TAGS and vanishing > SHARE * known
