"""Which tags a rule keeps, which go, and why. PURE.

A tag stays when any line of the rule keeps it. Doubt keeps: what is not known for certain never goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FRESH = timedelta(hours=24)
PULLS_FRESH = timedelta(days=4)  # as registry_sync/notifications/pulls.py takes no shorter silence for one


@dataclass(frozen=True, slots=True)
class Rule:
    """Mirrors registry_sync.models.RetentionRule."""

    keep_last: int | None = None
    keep_days: int | None = None
    keep_pulled_days: int | None = None
    keep_pattern: str = ""
    protect_pattern: str = ""

    @property
    def keeps_something(self) -> bool:
        return bool(self.keep_last or self.keep_days or self.keep_pulled_days or self.keep_pattern.strip())


@dataclass(frozen=True, slots=True)
class Version:
    """A tag. `pulled_at`: under this name, or its digest or a platform's directly; None for never. `technical`: hung on
    by a tool."""

    name: str
    digest: str
    pushed_at: datetime
    first_seen_at: datetime
    pulled_at: datetime | None = None
    technical: bool = False
    missing: bool = False


class Why(StrEnum):
    """Why a tag stays, or (the last) that it may go."""

    PROTECTED = "protected"
    NO_RULE = "no_rule"
    TECHNICAL = "technical"
    MISSING = "missing"
    PATTERN = "pattern"
    LAST = "last"
    YOUNG = "young"
    PULLED = "pulled"
    PUSHED = "pushed"  # whoever pushes will pull: a push counts as use
    NOT_WATCHED = "not_watched"
    NOTHING_KEEPS = "nothing_keeps"


class Fate(StrEnum):
    KEEP = "keep"
    UNTAG = "untag"  # the tag goes; what it points at stays, because a kept tag points at it too
    GO = "go"  # no kept tag points at it


@dataclass(frozen=True, slots=True)
class Decision:
    version: Version
    fate: Fate
    reasons: tuple[Why, ...]


def decide(rule: Rule, versions: Sequence[Version], now: datetime) -> list[Decision]:
    """One for each, in the order given."""
    newest = _newest(rule, versions)
    reasons = {each.name: _reasons(rule, each, newest, now) for each in versions}
    kept = {each.digest for each in versions if reasons[each.name]}
    return [
        Decision(each, _fate(each, reasons[each.name], kept), reasons[each.name] or (Why.NOTHING_KEEPS,))
        for each in versions
    ]


def matches(pattern: str, name: str) -> bool:
    """`pattern`: one or several with spaces or commas between; `*` is any text, `?` one character."""
    return any(_matches(one, name) for one in pattern.replace(",", " ").split())


class Doubt(StrEnum):
    """Why nothing is removed now."""

    NEVER_CHECKED = "never_checked"
    CHECK_FAILED = "check_failed"
    CHECK_OLD = "check_old"
    PULLS_NEVER = "pulls_never"
    PULLS_SILENT = "pulls_silent"
    PULLS_YOUNG = "pulls_young"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """How good the picture is: when the last check of the whole registry ended well, whether a later one failed, when
    the registry last told of a pull by others than the panel, and since when it has without a gap."""

    checked_at: datetime | None = None
    check_failed: bool = False
    pulls_at: datetime | None = None
    pulls_since: datetime | None = None


def doubt(rule: Rule, known: Knowledge, now: datetime) -> Doubt | None:
    if known.checked_at is None:
        return Doubt.NEVER_CHECKED
    if known.check_failed:
        return Doubt.CHECK_FAILED
    if now - known.checked_at > FRESH:
        return Doubt.CHECK_OLD
    if not rule.keep_pulled_days:
        return None
    # Pulls are known from events alone: without them everything looks as if nobody used it.
    if known.pulls_at is None or known.pulls_since is None:
        return Doubt.PULLS_NEVER
    if now - known.pulls_at > PULLS_FRESH:
        return Doubt.PULLS_SILENT
    if now - known.pulls_since < timedelta(days=rule.keep_pulled_days):
        return Doubt.PULLS_YOUNG
    return None


def _fate(version: Version, reasons: tuple[Why, ...], kept: set[str]) -> Fate:
    if reasons:
        return Fate.KEEP
    return Fate.UNTAG if version.digest in kept else Fate.GO


def _newest(rule: Rule, versions: Iterable[Version]) -> set[str]:
    real = [each for each in versions if not each.technical and not each.missing]
    ordered = sorted(real, key=lambda each: (each.pushed_at, each.name), reverse=True)
    return {each.name for each in ordered[: rule.keep_last or 0]}


def _reasons(rule: Rule, each: Version, newest: set[str], now: datetime) -> tuple[Why, ...]:
    """Every one that keeps it; none: it goes."""
    found = {
        Why.PROTECTED: matches(rule.protect_pattern, each.name),
        Why.NO_RULE: not rule.keeps_something,
        Why.TECHNICAL: each.technical,
        Why.MISSING: each.missing,
        Why.PATTERN: matches(rule.keep_pattern, each.name),
        Why.LAST: each.name in newest,
        Why.YOUNG: _within(each.pushed_at, rule.keep_days, now),
        Why.PULLED: _within(each.pulled_at, rule.keep_pulled_days, now),
        Why.PUSHED: _within(each.pushed_at, rule.keep_pulled_days, now),
        Why.NOT_WATCHED: _within(each.first_seen_at, rule.keep_pulled_days, now),
    }
    return tuple(why for why, holds in found.items() if holds)


def _within(moment: datetime | None, days: int | None, now: datetime) -> bool:
    return moment is not None and days is not None and now - moment <= timedelta(days=days)


def _matches(pattern: str, name: str) -> bool:
    """Never slower than length times length, whatever the pattern: hence no regular expression."""
    at, star, resume = 0, -1, 0
    i = 0
    while i < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resume, at = at, i, at + 1
        elif at < len(pattern) and pattern[at] in ("?", name[i]):
            at, i = at + 1, i + 1
        elif star >= 0:
            resume += 1
            at, i = star + 1, resume
        else:
            return False
    return set(pattern[at:]) <= {"*"}
