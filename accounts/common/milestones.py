"""On which days before something ends people are told. PURE."""

MILESTONES = (30, 7, 1, 0)  # days before; 0: on the day


def is_due(left: int, since: int | None) -> bool:
    """Return whether a milestone lies between today, `left` days before the end, and the last telling.

    `since`: how many days ago the person was told of anything; None: never. So a day on which nobody could be told is
    made up for.
    """
    return any(left <= each and (since is None or each < left + since) for each in MILESTONES)
