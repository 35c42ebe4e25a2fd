"""What a rule keeps: a truth table, and what must hold for every rule."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.deletion.impact import DeletionGraph, deletable_without_harm, impact, tags_left_behind
from registry_sync.retention.policy import (
    Blocker,
    Decision,
    Evidence,
    Reason,
    Rule,
    TagState,
    Version,
    VersionDecision,
    decide,
    find_blocker,
    matches,
    versions_of,
)
from tests.unit.test_impact import HEX, ID, MULTI, NAME, graph_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


def tag(name: str, digest: str = "", *, pushed: float = 100, pulled: float | None = None, seen: float = 500,
        missing: bool = False, checked: float | None = None) -> TagState:  # fmt: skip
    return TagState(
        name,
        digest or name,
        days(pushed),
        days(seen),
        None if pulled is None else days(pulled),
        missing,
        None if checked is None else days(checked),
    )


def version(name: str, **more: Any) -> Version:
    (found,) = versions_of([tag(name, **more)])
    return found


def fates(rule: Rule, *tags: TagState) -> dict[str, str]:
    """By the name that says most."""
    return {each.version.name: each.decision.value for each in decide(rule, versions_of(tags), NOW)}


def only(rule: Rule, each: Version) -> VersionDecision:
    (decision,) = decide(rule, [each], NOW)
    return decision


OLD = version("1.0")


@pytest.mark.parametrize(
    ("rule", "each", "reasons"),
    [
        (Rule(keep_last=1), OLD, [Reason.LAST]),
        (Rule(keep_days=99), OLD, [Reason.NOTHING_KEEPS]),
        (Rule(keep_days=100), OLD, [Reason.YOUNG]),
        (Rule(keep_days=101, keep_last=3), OLD, [Reason.LAST, Reason.YOUNG]),
        (Rule(keep_pulled_days=30), OLD, [Reason.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", pulled=30), [Reason.PULLED]),
        (Rule(keep_pulled_days=30), version("1.0", pulled=31), [Reason.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", checked=1), [Reason.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30, keep_checked=True), version("1.0", checked=30), [Reason.CHECKED]),
        (Rule(keep_pulled_days=30, keep_checked=True), version("1.0", checked=31), [Reason.NOTHING_KEEPS]),
        (Rule(keep_last=1, keep_checked=True), version("1.0", checked=1), [Reason.LAST]),
        (Rule(keep_pulled_days=30), version("1.0", seen=29), [Reason.NOT_WATCHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=30), [Reason.PUSHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=31), [Reason.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=29, pulled=5), [Reason.PULLED, Reason.PUSHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=5, seen=5), [Reason.PUSHED, Reason.NOT_WATCHED]),
        (Rule(keep_pattern="1.*"), OLD, [Reason.PATTERN]),
        (Rule(keep_pattern="2.*"), OLD, [Reason.NOTHING_KEEPS]),
        (Rule(keep_pattern="2.*, 1.?"), OLD, [Reason.PATTERN]),
        (Rule(keep_days=1, protect_pattern="*"), OLD, [Reason.PROTECTED]),
        (Rule(), OLD, [Reason.NO_RULE]),
        (Rule(keep_pattern=" "), OLD, [Reason.NO_RULE]),
        (Rule(protect_pattern="2.*"), OLD, [Reason.NO_RULE]),
        (Rule(keep_days=1), version("1.0", missing=True), [Reason.MISSING]),
    ],
)
def test_why_a_tag_stays_or_goes(rule: Rule, each: Version, reasons: list[Reason]) -> None:
    decision = only(rule, each)
    assert list(decision.reasons) == reasons
    assert (decision.decision is Decision.KEEP) is (reasons != [Reason.NOTHING_KEEPS])


def test_the_newest_are_by_push_and_what_is_missing_does_not_count() -> None:
    tags = [tag(str(age), pushed=age) for age in (3, 1, 2)]
    assert fates(Rule(keep_last=2), *tags) == {"3": "delete", "1": "keep", "2": "keep"}
    missing = tag("m", pushed=0, missing=True)
    assert fates(Rule(keep_last=1), missing, *tags) == {
        "m": "keep",
        "3": "delete",
        "1": "keep",
        "2": "delete",
    }


def test_of_those_pushed_at_once_the_newest_is_by_its_name() -> None:
    tags = [tag(name) for name in ("1.9.0", "1.10.0", "1.2.0-beta")]
    assert fates(Rule(keep_last=1), *tags) == {"1.9.0": "delete", "1.10.0": "keep", "1.2.0-beta": "delete"}


def test_a_digest_is_one_version_under_the_tag_that_says_most() -> None:
    one = [tag(name, "A", pushed=1) for name in ("latest", "1", "1.2.0", "1.2")]
    other = [tag("1.1.0", "B", pushed=50), tag("1.1", "B", pushed=60)]
    (newest, second) = versions_of([*one, *other, tag("1.0.0", "C")])[:2]
    assert (newest.name, newest.names) == ("1.2.0", ("1.2.0", "1.2", "1", "latest"))
    assert (second.name, second.pushed_at) == ("1.1.0", days(50))
    told = {"1.2.0": "keep", "1.1.0": "keep", "1.0.0": "delete"}
    assert fates(Rule(keep_last=2), *one, *other, tag("1.0.0", "C")) == told


def test_a_kept_digest_keeps_all_its_tags() -> None:
    tags = [tag("new", "A", pushed=1), tag("build-7", "A"), tag("older", "B"), tag("oldest", "B")]
    assert fates(Rule(keep_days=10), *tags) == {"build-7": "keep", "oldest": "delete"}
    assert fates(Rule(keep_pattern="new"), *tags) == {"build-7": "keep", "oldest": "delete"}
    assert fates(Rule(keep_days=1, protect_pattern="older"), *tags) == {"build-7": "keep", "oldest": "keep"}


NAMES = st.text("ab1.-", min_size=1, max_size=6)
RULES = st.builds(
    Rule,
    keep_last=st.none() | st.integers(1, 5),
    keep_days=st.none() | st.integers(1, 400),
    keep_pulled_days=st.none() | st.integers(1, 400),
    keep_pattern=st.text("ab1.*? ", max_size=5),
    protect_pattern=st.text("ab1.*?, ", max_size=5),
)
LETTERS = "ABC"


def tags(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[TagState]]:
    each = st.builds(
        tag, names, st.sampled_from([ID[letter] for letter in LETTERS]), pushed=st.integers(0, 500),
        pulled=st.none() | st.integers(0, 500), seen=st.integers(0, 500), missing=st.booleans(),
    )  # fmt: skip
    return st.lists(each, unique_by=(lambda each: each.name, lambda each: each.pushed_at), max_size=12)


@given(RULES, tags(NAMES))
def test_for_every_rule(rule: Rule, tags: list[TagState]) -> None:
    versions = versions_of(tags)
    decisions = decide(rule, versions, NOW)
    assert [each.version for each in decisions] == versions
    assert sorted(name for each in versions for name in each.names) == sorted(each.name for each in tags)
    for each in decisions:
        protected = any(matches(rule.protect_pattern, name) for name in each.version.names)
        if protected or not rule.keeps_something:
            assert each.decision is Decision.KEEP
        if rule.keep_pulled_days and NOW - each.version.pushed_at <= timedelta(days=rule.keep_pulled_days):
            assert each.decision is Decision.KEEP
        assert each.reasons
    kept = [each for each in decisions if each.decision is Decision.KEEP]
    assert len(kept) >= min(rule.keep_last or 0, len(decisions))


@given(RULES, tags(NAMES))
def test_keeping_more_never_removes_more(rule: Rule, tags: list[TagState]) -> None:
    versions = versions_of(tags)
    gone = {each.version.name for each in decide(rule, versions, NOW) if each.decision is not Decision.KEEP}
    wider = Rule(
        (rule.keep_last or 0) + 1,
        rule.keep_days,
        rule.keep_pulled_days,
        rule.keep_pattern,
        rule.protect_pattern,
    )
    if rule.keeps_something:
        assert {
            each.version.name for each in decide(wider, versions, NOW) if each.decision is not Decision.KEEP
        } <= gone


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_pattern_with_wildcards_matches_whole_names(pattern: str, name: str) -> None:
    grammar = "".join({"*": ".*", "?": "."}.get(each, each) for each in pattern)
    assert matches(pattern, name) is (bool(pattern) and re.fullmatch(grammar, name) is not None)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("v*", "v1.2", True), ("v*", "av1", False), ("v?", "v1", True), ("v?", "v12", False),
        ("1.0, 2.*", "2.1", True), ("1.0 2.*", "1.0", True), ("1.0", "1x0", False),
        ("V1", "v1", False), ("[ab]", "a", False), ("[ab]", "[ab]", True), ("", "", False),
    ],
)  # fmt: skip
def test_pattern_grammar(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected


def test_a_wicked_pattern_is_quick() -> None:
    assert not matches("*a" * 99, "a" * 50 + "b" * 78)


WATCHED = Evidence(checked_at=days(0.5), pulls_at=days(0.1), pulls_since=days(400))


@pytest.mark.parametrize(
    ("evidence", "pulled_days", "expected"),
    [
        (WATCHED, 30, None),
        (Evidence(), None, Blocker.NEVER_CHECKED),
        (Evidence(checked_at=days(1.01)), None, Blocker.CHECK_OLD),
        (Evidence(checked_at=days(0.5)), None, None),
        (Evidence(checked_at=days(0.5), check_failed=True), None, Blocker.CHECK_FAILED),
        (Evidence(checked_at=days(0.5)), 30, Blocker.PULLS_NEVER),
        (Evidence(checked_at=days(0.5), pulls_at=days(0.5)), 30, Blocker.PULLS_NEVER),
        (Evidence(checked_at=days(0.5), pulls_at=days(0.5), pulls_since=days(30)), 30, None),
        (Evidence(checked_at=days(0.5), pulls_at=days(5), pulls_since=days(400)), 30, Blocker.PULLS_SILENT),
        (Evidence(checked_at=days(0.5), pulls_at=days(0.5), pulls_since=days(29)), 30, Blocker.PULLS_YOUNG),
        (Evidence(checked_at=days(0.5), pulls_at=days(2), pulls_since=days(2)), None, None),
    ],
)
def test_find_blocker_names_what_is_not_certain(
    evidence: Evidence, pulled_days: int | None, expected: Blocker | None
) -> None:
    assert find_blocker(Rule(keep_last=1, keep_pulled_days=pulled_days), evidence, NOW) is expected


SHARED = {f"sha256-{HEX[each]}.dockerfile": "S" for each in "AB"}


@pytest.mark.parametrize(
    ("graph", "digests", "going"),
    [
        (graph_of({"1.0": "A"}), "A", "A"),
        (MULTI, "I", "IAB"),
        (MULTI, "A", ""),  # a platform of a tagged index
        (graph_of({"1.0": "I", "amd": "A"}, {"I": "AB"}), "IA", "IAB"),
        (graph_of({"1.0": "I", "amd": "A"}, {"I": "AB"}), "A", ""),
        (graph_of({"1.0": "A"}, {"I": "AB"}), "A", ""),  # an untagged index would break
        (graph_of({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), "A", ""),  # what is about it stays
        (graph_of({"1.0": "A", "2.0": "B", "sbom": "S"}, subjects={"S": "A"}), "AB", "B"),
        (graph_of({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), "AS", "AS"),
        (graph_of({"1.0": "A"}, subjects={"S": "A"}), "A", "AS"),
        # what a tool hung onto something that stays, stays with it under whatever name
        (graph_of({"1.0": "A", "2.0": "B", f"sha256-{HEX['A']}.src": "B"}), "B", ""),
        (graph_of({"1.0": "A", "2.0": "B", f"sha256-{HEX['A']}.src": "B"}), "AB", "AB"),
        (graph_of({"2.0": "B", f"sha256-{HEX['A']}.src": "B"}), "B", "B"),  # that is gone already
        # a tag by which a tool named the digest itself
        (graph_of({"1.0": "A", f"sha256-{HEX['A']}.imgpkg": "A"}), "A", "A"),
        # what two versions share goes with the last of them, and holds neither back
        (graph_of({"1.0": "A", "2.0": "B", **SHARED}), "A", "A"),
        (graph_of({"1.0": "A", "2.0": "B", **SHARED}), "AB", "ABS"),
        (graph_of({"1.0": "A", "2.0": "B", "mine": "S", **SHARED}), "A", ""),
    ],
)
def test_a_rule_deletes_only_what_nothing_else_needs(graph: DeletionGraph, digests: str, going: str) -> None:
    found = deletable_without_harm(graph, [ID[each] for each in digests])
    assert "".join(NAME[each.digest] for each in found) == going
    assert not impact(graph, digests=[each.digest for each in found]).refused


def test_a_tag_about_what_goes_goes_where_it_points_at_what_stays() -> None:
    graph = graph_of({"1.0": "A", "2.0": "B", **SHARED})
    assert tags_left_behind(graph, {ID["A"]}) == [f"sha256-{HEX['A']}.dockerfile"]
    assert tags_left_behind(graph, {ID["A"], ID["B"], ID["S"]}) == []
