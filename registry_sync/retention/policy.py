"""Which versions a rule keeps, which go, and why. PURE.

A version is a digest with all the tags that people gave it; it stays when any line of the rule keeps one of them. Tags
that tools made are none of this: they go and stay with what they are about. Doubt keeps: what is not known for certain
never goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from namespaces.natural_sort import precision, sort_key

FRESH = timedelta(hours=24)
PULLS_FRESH = timedelta(days=4)  # as registry_sync/events/pull_counts.py takes no shorter silence for one


@dataclass(frozen=True, slots=True)
class Rule:
    """Mirrors registry_sync.models.RetentionRule."""

    keep_last: int | None = None
    keep_days: int | None = None
    keep_pulled_days: int | None = None
    keep_pattern: str = ""
    protect_pattern: str = ""
    keep_checked: bool = False  # a check counts as a pull

    @property
    def keeps_something(self) -> bool:
        return bool(self.keep_last or self.keep_days or self.keep_pulled_days or self.keep_pattern.strip())


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag. `pulled_at`, `checked_at`: under this name, or its digest or a platform's directly; None for never."""

    name: str
    digest: str
    pushed_at: datetime
    first_seen_at: datetime
    pulled_at: datetime | None = None
    missing: bool = False
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A digest.

    `names`: its tags, the one that says most first; the moments are the last of any of these, and `missing` is true
    when one of them is.
    """

    digest: str
    names: tuple[str, ...]
    pushed_at: datetime
    first_seen_at: datetime
    pulled_at: datetime | None = None
    missing: bool = False
    checked_at: datetime | None = None

    @property
    def name(self) -> str:
        return self.names[0]


class Reason(StrEnum):
    """Why a version stays, or (the last) that it may go."""

    PROTECTED = "protected"
    NO_RULE = "no_rule"
    MISSING = "missing"
    PATTERN = "pattern"
    LAST = "last"
    YOUNG = "young"
    PULLED = "pulled"
    CHECKED = "checked"
    PUSHED = "pushed"  # whoever pushes will pull: a push counts as use
    NOT_WATCHED = "not_watched"
    NOTHING_KEEPS = "nothing_keeps"


class Decision(StrEnum):
    KEEP = "keep"
    UNTAG = "untag"  # its tags go, and it stays, because something else needs it (preview.py)
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class VersionDecision:
    version: Version
    decision: Decision
    reasons: tuple[Reason, ...]


def versions_of(tags: Iterable[Tagged]) -> list[Version]:
    """In the order of their first tags."""
    same: dict[str, list[Tagged]] = {}
    for each in tags:
        same.setdefault(each.digest, []).append(each)
    return [
        Version(
            digest,
            tuple(sorted((each.name for each in some), key=precision, reverse=True)),
            max(each.pushed_at for each in some),
            max(each.first_seen_at for each in some),
            max((each.pulled_at for each in some if each.pulled_at), default=None),
            any(each.missing for each in some),
            max((each.checked_at for each in some if each.checked_at), default=None),
        )
        for digest, some in same.items()
    ]


def decide(rule: Rule, versions: Sequence[Version], now: datetime) -> list[VersionDecision]:
    """One for each, in the order given."""
    newest = _newest(rule, versions)
    reasons = [reasons_of(rule, each, newest, now) for each in versions]
    return [
        VersionDecision(each, Decision.KEEP if why else Decision.DELETE, why or (Reason.NOTHING_KEEPS,))
        for each, why in zip(versions, reasons, strict=True)
    ]


def matches(pattern: str, name: str) -> bool:
    """`pattern`: one or several, separated by spaces or commas; `*` is any text, `?` any one character."""
    parts = pattern.replace("[", "[[]").replace(",", " ").split()  # brackets mean themselves
    return any(fnmatchcase(name, part) for part in parts)


class Blocker(StrEnum):
    """Why nothing is removed now."""

    NEVER_CHECKED = "never_checked"
    CHECK_FAILED = "check_failed"
    CHECK_OLD = "check_old"
    PULLS_NEVER = "pulls_never"
    PULLS_SILENT = "pulls_silent"
    PULLS_YOUNG = "pulls_young"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """How good the picture is.

    When the last check of the whole registry ended well, whether a later one failed, when the registry last told of a
    pull by others than the panel, and since when it has without a gap.
    """

    checked_at: datetime | None = None
    check_failed: bool = False
    pulls_at: datetime | None = None
    pulls_since: datetime | None = None


def doubt(rule: Rule, known: Knowledge, now: datetime) -> Blocker | None:
    if known.checked_at is None:
        return Blocker.NEVER_CHECKED
    if known.check_failed:
        return Blocker.CHECK_FAILED
    if now - known.checked_at > FRESH:
        return Blocker.CHECK_OLD
    if not rule.keep_pulled_days:
        return None
    # Pulls are known from events alone: without them everything looks as if nobody used it.
    if known.pulls_at is None or known.pulls_since is None:
        return Blocker.PULLS_NEVER
    if now - known.pulls_at > PULLS_FRESH:
        return Blocker.PULLS_SILENT
    if now - known.pulls_since < timedelta(days=rule.keep_pulled_days):
        return Blocker.PULLS_YOUNG
    return None


def _newest(rule: Rule, versions: Iterable[Version]) -> set[str]:
    certain = [each for each in versions if not each.missing]
    ordered = sorted(certain, key=lambda each: (each.pushed_at, sort_key(each.name)), reverse=True)
    return {each.digest for each in ordered[: rule.keep_last or 0]}


def reasons_of(rule: Rule, each: Version, newest: set[str], now: datetime) -> tuple[Reason, ...]:
    """Every one that keeps it; none: it goes. `newest`: digests."""
    found = {
        Reason.PROTECTED: any(matches(rule.protect_pattern, name) for name in each.names),
        Reason.NO_RULE: not rule.keeps_something,
        Reason.MISSING: each.missing,
        Reason.PATTERN: any(matches(rule.keep_pattern, name) for name in each.names),
        Reason.LAST: each.digest in newest,
        Reason.YOUNG: _within(each.pushed_at, rule.keep_days, now),
        Reason.PULLED: _within(each.pulled_at, rule.keep_pulled_days, now),
        Reason.CHECKED: rule.keep_checked and _within(each.checked_at, rule.keep_pulled_days, now),
        Reason.PUSHED: _within(each.pushed_at, rule.keep_pulled_days, now),
        Reason.NOT_WATCHED: _within(each.first_seen_at, rule.keep_pulled_days, now),
    }
    return tuple(why for why, holds in found.items() if holds)


def _within(moment: datetime | None, days: int | None, now: datetime) -> bool:
    return moment is not None and days is not None and now - moment <= timedelta(days=days)
