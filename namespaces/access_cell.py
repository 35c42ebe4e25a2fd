"""One cell of the matrix: what a user may do in a namespace, or with an image. PURE."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from namespaces.access import AccessContext, Action, GrantSource, Level, UserStatus, decide


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """What a user may do.

    `level`, and where it comes from (None for no level). `image_count`: on how many images it may do more, and
    `image_level`, the most of that. `blocked_level`: the most that a user would have who is disabled or expired.
    """

    level: Level
    source: GrantSource | None
    image_count: int = 0
    image_level: Level = Level.NONE
    blocked_level: Level = Level.NONE


def matrix_cell(context: AccessContext, images: Iterable[AccessContext] = ()) -> MatrixCell:
    """`context`: of the namespace or image; `images`: of each image of the namespace that has a grant of its own."""
    verdict, images = decide(context, Action.PULL), list(images)
    more = [each.level for each in images if each.level > verdict.level]
    active = [replace(each, user_status=UserStatus.ACTIVE).level for each in (context, *images)]
    blocked = context.user_status not in (UserStatus.ACTIVE, UserStatus.ANONYMOUS)
    return MatrixCell(
        level=verdict.level,
        source=verdict.sources[0].source if verdict.sources else None,
        image_count=len(more),
        image_level=max(more, default=Level.NONE),
        blocked_level=max(active) if blocked else Level.NONE,
    )
