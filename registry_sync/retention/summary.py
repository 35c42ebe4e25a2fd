"""A preview in a few lines: how many versions go or stay, and why; and what goes though somebody pulled it. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from registry_sync.retention.policy import Decision, Reason, VersionDecision

_ORDER = list(Decision)[::-1]  # what is deleted comes first: that is what people look for


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """The versions of one decision and reason. `size_bytes`: to pull each of them, so shared layers count each time."""

    decision: Decision
    reason: Reason
    version_count: int
    tag_count: int
    size_bytes: int


def group_by_reason(decisions: Iterable[VersionDecision], sizes: Mapping[str, int]) -> list[ReasonGroup]:
    """Return the groups, those that remove most first. A version with several reasons is in the group of the first.

    `sizes`: digest → bytes; 0 for one that is not there.
    """
    members: dict[tuple[Decision, Reason], list[VersionDecision]] = {}
    for each in decisions:
        members.setdefault((each.decision, each.reasons[0]), []).append(each)
    groups = [
        ReasonGroup(
            decision,
            reason,
            len(found),
            sum(len(each.version.names) for each in found),
            sum(sizes.get(each.version.digest, 0) for each in found),
        )
        for (decision, reason), found in members.items()
    ]
    reasons = list(Reason)
    return sorted(groups, key=lambda each: (_ORDER.index(each.decision), reasons.index(each.reason)))


def removed_though_pulled(decisions: Iterable[VersionDecision], since: datetime) -> list[VersionDecision]:
    """Return what would be removed and was pulled since then, the latest pulled first."""
    found = [
        (each.version.pulled_at, index, each)
        for index, each in enumerate(decisions)
        if each.decision is not Decision.KEEP and each.version.pulled_at and each.version.pulled_at >= since
    ]
    return [each for _at, _index, each in sorted(found, key=lambda each: (each[0], -each[1]), reverse=True)]
