"""What a rule keeps: a truth table, and what must hold for every rule."""

import fnmatch
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_sync.removal.impact import Facts, impact, without_harm
from registry_sync.removal.retention import (
    Decision,
    Doubt,
    Fate,
    Knowledge,
    Rule,
    Version,
    Why,
    decide,
    doubt,
    matches,
)  # fmt: skip
from tests.pure.test_impact import ID, MULTI, NAME, facts

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def days(count: float) -> datetime:
    return NOW - timedelta(days=count)


def version(name: str, digest: str = "", *, pushed: float = 100, pulled: float | None = None, seen: float = 500,
            technical: bool = False, missing: bool = False) -> Version:  # fmt: skip
    return Version(
        name,
        digest or name,
        days(pushed),
        days(seen),
        None if pulled is None else days(pulled),
        technical,
        missing,
    )


def fates(rule: Rule, *versions: Version) -> dict[str, str]:
    return {each.version.name: each.fate.value for each in decide(rule, versions, NOW)}


def only(rule: Rule, each: Version) -> Decision:
    (decision,) = decide(rule, [each], NOW)
    return decision


OLD = version("1.0")


@pytest.mark.parametrize(
    ("rule", "each", "reasons"),
    [
        (Rule(keep_last=1), OLD, [Why.LAST]),
        (Rule(keep_days=99), OLD, [Why.NOTHING_KEEPS]),
        (Rule(keep_days=100), OLD, [Why.YOUNG]),
        (Rule(keep_days=101, keep_last=3), OLD, [Why.LAST, Why.YOUNG]),
        (Rule(keep_pulled_days=30), OLD, [Why.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", pulled=30), [Why.PULLED]),
        (Rule(keep_pulled_days=30), version("1.0", pulled=31), [Why.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", seen=29), [Why.NOT_WATCHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=30), [Why.PUSHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=31), [Why.NOTHING_KEEPS]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=29, pulled=5), [Why.PULLED, Why.PUSHED]),
        (Rule(keep_pulled_days=30), version("1.0", pushed=5, seen=5), [Why.PUSHED, Why.NOT_WATCHED]),
        (Rule(keep_pattern="1.*"), OLD, [Why.PATTERN]),
        (Rule(keep_pattern="2.*"), OLD, [Why.NOTHING_KEEPS]),
        (Rule(keep_pattern="2.*, 1.?"), OLD, [Why.PATTERN]),
        (Rule(keep_days=1, protect_pattern="*"), OLD, [Why.PROTECTED]),
        (Rule(), OLD, [Why.NO_RULE]),
        (Rule(keep_pattern=" "), OLD, [Why.NO_RULE]),
        (Rule(protect_pattern="2.*"), OLD, [Why.NO_RULE]),
        (Rule(keep_days=1), version("sha256-x.sig", technical=True), [Why.TECHNICAL]),
        (Rule(keep_days=1), version("1.0", missing=True), [Why.MISSING]),
    ],
)
def test_why_a_tag_stays_or_goes(rule: Rule, each: Version, reasons: list[Why]) -> None:
    decision = only(rule, each)
    assert list(decision.reasons) == reasons
    assert (decision.fate is Fate.KEEP) is (reasons != [Why.NOTHING_KEEPS])


def test_the_newest_are_by_push_and_what_tools_hung_on_or_is_missing_does_not_count() -> None:
    versions = [version(str(age), pushed=age) for age in (3, 1, 2)]
    assert fates(Rule(keep_last=2), *versions) == {"3": "go", "1": "keep", "2": "keep"}
    missing = version("m", pushed=0, missing=True)
    assert fates(Rule(keep_last=1), missing, *versions) == {"m": "keep", "3": "go", "1": "keep", "2": "go"}
    sig = version("s", pushed=0, technical=True)
    assert fates(Rule(keep_last=1), sig, *versions) == {"s": "keep", "3": "go", "1": "keep", "2": "go"}


def test_a_tag_that_shares_its_digest_with_a_kept_one_is_only_untagged() -> None:
    versions = [
        version("new", "A", pushed=1),
        version("old", "A"),
        version("older", "B"),
        version("oldest", "B"),
    ]
    assert fates(Rule(keep_days=10), *versions) == {
        "new": "keep",
        "old": "untag",
        "older": "go",
        "oldest": "go",
    }


NAMES = st.text("ab1.-", min_size=1, max_size=6)
RULES = st.builds(
    Rule, keep_last=st.none() | st.integers(1, 5), keep_days=st.none() | st.integers(1, 400),
    keep_pulled_days=st.none() | st.integers(1, 400), keep_pattern=st.text("ab1.*? ", max_size=5),
    protect_pattern=st.text("ab1.*?, ", max_size=5),
)  # fmt: skip
VERSIONS = st.lists(
    st.builds(
        version, NAMES, st.sampled_from("ABC"), pushed=st.integers(0, 500), pulled=st.none() | st.integers(0, 500),
        seen=st.integers(0, 500), technical=st.booleans(), missing=st.booleans(),
    ),
    unique_by=lambda each: each.name, max_size=12,
)  # fmt: skip


@given(RULES, VERSIONS)
def test_for_every_rule(rule: Rule, versions: list[Version]) -> None:
    decisions = decide(rule, versions, NOW)
    assert [each.version for each in decisions] == versions
    kept = [each for each in decisions if each.fate is Fate.KEEP]
    for each in decisions:
        if matches(rule.protect_pattern, each.version.name) or not rule.keeps_something:
            assert each.fate is Fate.KEEP
        if rule.keep_pulled_days and NOW - each.version.pushed_at <= timedelta(days=rule.keep_pulled_days):
            assert each.fate is Fate.KEEP
        if each.fate is Fate.GO:
            assert each.version.digest not in {other.version.digest for other in kept}
        assert each.reasons
    real = [each for each in decisions if not each.version.technical]
    assert len([each for each in real if each.fate is Fate.KEEP]) >= min(rule.keep_last or 0, len(real))


@given(RULES, VERSIONS)
def test_keeping_more_never_removes_more(rule: Rule, versions: list[Version]) -> None:
    gone = {each.version.name for each in decide(rule, versions, NOW) if each.fate is not Fate.KEEP}
    wider = Rule(
        (rule.keep_last or 0) + 1,
        rule.keep_days,
        rule.keep_pulled_days,
        rule.keep_pattern,
        rule.protect_pattern,
    )
    if rule.keeps_something:
        assert {
            each.version.name for each in decide(wider, versions, NOW) if each.fate is not Fate.KEEP
        } <= gone


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_match_as_file_names_do(pattern: str, name: str) -> None:
    assert matches(pattern, name) is (bool(pattern) and fnmatch.fnmatchcase(name, pattern))


def test_a_wicked_pattern_is_quick() -> None:
    assert not matches("*a" * 99, "a" * 50 + "b" * 78)


WATCHED = Knowledge(checked_at=days(0.5), pulls_at=days(0.1), pulls_since=days(400))


@pytest.mark.parametrize(
    ("known", "pulled_days", "expected"),
    [
        (WATCHED, 30, None),
        (Knowledge(), None, Doubt.NEVER_CHECKED),
        (Knowledge(checked_at=days(1.01)), None, Doubt.CHECK_OLD),
        (Knowledge(checked_at=days(0.5)), None, None),
        (Knowledge(checked_at=days(0.5), check_failed=True), None, Doubt.CHECK_FAILED),
        (Knowledge(checked_at=days(0.5)), 30, Doubt.PULLS_NEVER),
        (Knowledge(checked_at=days(0.5), pulls_at=days(0.5)), 30, Doubt.PULLS_NEVER),
        (Knowledge(checked_at=days(0.5), pulls_at=days(0.5), pulls_since=days(30)), 30, None),
        (Knowledge(checked_at=days(0.5), pulls_at=days(5), pulls_since=days(400)), 30, Doubt.PULLS_SILENT),
        (Knowledge(checked_at=days(0.5), pulls_at=days(0.5), pulls_since=days(29)), 30, Doubt.PULLS_YOUNG),
        (Knowledge(checked_at=days(0.5), pulls_at=days(2), pulls_since=days(2)), None, None),
    ],
)
def test_doubt_keeps_everything(known: Knowledge, pulled_days: int | None, expected: Doubt | None) -> None:
    assert doubt(Rule(keep_last=1, keep_pulled_days=pulled_days), known, NOW) is expected


@pytest.mark.parametrize(
    ("known", "digests", "going"),
    [
        (facts({"1.0": "A"}), "A", "A"),
        (MULTI, "I", "IAB"),
        (MULTI, "A", ""),  # a platform of a tagged index
        (facts({"1.0": "I", "amd": "A"}, {"I": "AB"}), "IA", "IAB"),
        (facts({"1.0": "I", "amd": "A"}, {"I": "AB"}), "A", ""),
        (facts({"1.0": "A"}, {"I": "AB"}), "A", ""),  # an untagged index would break
        (facts({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), "A", ""),  # what is about it stays
        (facts({"1.0": "A", "2.0": "B", "sbom": "S"}, subjects={"S": "A"}), "AB", "B"),
        (facts({"1.0": "A", "sbom": "S"}, subjects={"S": "A"}), "AS", "AS"),
        (facts({"1.0": "A"}, subjects={"S": "A"}), "A", "AS"),
    ],
)
def test_a_rule_deletes_only_what_nothing_else_needs(known: Facts, digests: str, going: str) -> None:
    found = without_harm(known, [ID[each] for each in digests])
    assert "".join(NAME[each.digest] for each in found) == going
    assert not impact(known, digests=[each.digest for each in found]).refused
