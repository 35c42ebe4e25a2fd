"""A preview in a few lines."""

from datetime import UTC, datetime, timedelta

from registry_sync.retention.policy import Decision, Reason, Version, VersionDecision
from registry_sync.retention.summary import ReasonGroup, group_by_reason, removed_though_pulled

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


def decided(names: str, decision: Decision, *reasons: Reason, pulled: float | None = None) -> VersionDecision:
    pulled_at = None if pulled is None else NOW - timedelta(days=pulled)
    tags = tuple(names.split())
    return VersionDecision(
        Version(tags[0], tags, NOW, NOW, pulled_at), decision, reasons or (Reason.NOTHING_KEEPS,)
    )


def test_each_version_is_in_one_group_and_what_goes_comes_first() -> None:
    decisions = [
        decided("3 latest", Decision.KEEP, Reason.LAST, Reason.YOUNG),
        decided("2", Decision.KEEP, Reason.YOUNG),
        decided("v1", Decision.KEEP, Reason.PROTECTED, Reason.LAST),
        decided("1 one", Decision.DELETE),
        decided("0", Decision.DELETE),
        decided("base", Decision.UNTAG),
    ]
    sizes = {"3": 30, "2": 20, "v1": 10, "1": 5, "base": 2}
    assert group_by_reason(decisions, sizes) == [
        ReasonGroup(Decision.DELETE, Reason.NOTHING_KEEPS, 2, 3, 5),
        ReasonGroup(Decision.UNTAG, Reason.NOTHING_KEEPS, 1, 1, 2),
        ReasonGroup(Decision.KEEP, Reason.PROTECTED, 1, 1, 10),
        ReasonGroup(Decision.KEEP, Reason.LAST, 1, 2, 30),
        ReasonGroup(Decision.KEEP, Reason.YOUNG, 1, 1, 20),
    ]
    assert group_by_reason([], {}) == []


def test_what_goes_though_it_was_pulled_lately() -> None:
    decisions = [
        decided("never", Decision.DELETE),
        decided("long ago", Decision.DELETE, pulled=31),
        decided("kept", Decision.KEEP, Reason.LAST, pulled=1),
        decided("last month", Decision.UNTAG, pulled=30),
        decided("yesterday", Decision.DELETE, pulled=1),
        decided("with it", Decision.DELETE, pulled=1),
    ]
    found = [" ".join(each.version.names) for each in removed_though_pulled(decisions, SINCE)]
    assert found == ["yesterday", "with it", "last month"]
