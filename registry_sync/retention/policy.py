"""Which versions a rule keeps, which it removes, and why. PURE.

A version is a digest with all the tags that people gave it; it stays when any condition of the rule keeps one of them.
Technical tags are not looked at: they stay and go with what they are about. What is not certain is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from namespaces.natural_sort import precision, sort_key

CHECK_AGE_MAX = timedelta(hours=24)
PULLS_AGE_MAX = timedelta(days=4)  # registry_sync/events/pull_counts.py takes no shorter silence for a gap


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
class TagState:
    """A tag. `pulled_at`, `checked_at`: by this name, or by its digest or that of a platform; None for never."""

    name: str
    digest: str
    pushed_at: datetime
    first_seen_at: datetime
    pulled_at: datetime | None = None
    missing: bool = False
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A digest with its tags.

    `names`: the tags, the most precise first. Each moment is the latest of any tag; `missing` is true when one tag is.
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
    """Why a version stays, or (the last) is removed."""

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
    UNTAG = "untag"  # its tags go, but the manifest stays, because something else needs it (preview.py)
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class VersionDecision:
    version: Version
    decision: Decision
    reasons: tuple[Reason, ...]


def versions_of(tags: Iterable[TagState]) -> list[Version]:
    """Group tags by digest, in the order of their first tags."""
    by_digest: dict[str, list[TagState]] = {}
    for each in tags:
        by_digest.setdefault(each.digest, []).append(each)
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
        for digest, some in by_digest.items()
    ]


def decide(rule: Rule, versions: Sequence[Version], now: datetime) -> list[VersionDecision]:
    """Return a decision for each version, in the order given."""
    newest = _newest(rule, versions)
    reasons = [reasons_of(rule, each, newest, now) for each in versions]
    return [
        VersionDecision(each, Decision.KEEP if why else Decision.DELETE, why or (Reason.NOTHING_KEEPS,))
        for each, why in zip(versions, reasons, strict=True)
    ]


def matches(pattern: str, name: str) -> bool:
    """Return True when one of the patterns matches: separated by spaces or commas, with `*` and `?`."""
    parts = pattern.replace("[", "[[]").replace(",", " ").split()  # brackets are literal
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
class Evidence:
    """How far the inventory and the pull counts can be trusted.

    `checked_at`: the last full check that ended well; `check_failed`: a later one failed. `pulls_at`: the last pull
    event that the panel did not cause itself; `pulls_since`: since when there is no gap in them.
    """

    checked_at: datetime | None = None
    check_failed: bool = False
    pulls_at: datetime | None = None
    pulls_since: datetime | None = None


def find_blocker(rule: Rule, evidence: Evidence, now: datetime) -> Blocker | None:
    """Return why the rule must remove nothing now; None when it may run."""
    if evidence.checked_at is None:
        return Blocker.NEVER_CHECKED
    if evidence.check_failed:
        return Blocker.CHECK_FAILED
    if now - evidence.checked_at > CHECK_AGE_MAX:
        return Blocker.CHECK_OLD
    if not rule.keep_pulled_days:
        return None
    # Pulls are known from events alone: without events every tag looks unused.
    if evidence.pulls_at is None or evidence.pulls_since is None:
        return Blocker.PULLS_NEVER
    if now - evidence.pulls_at > PULLS_AGE_MAX:
        return Blocker.PULLS_SILENT
    if now - evidence.pulls_since < timedelta(days=rule.keep_pulled_days):
        return Blocker.PULLS_YOUNG
    return None


def _newest(rule: Rule, versions: Iterable[Version]) -> set[str]:
    certain = [each for each in versions if not each.missing]
    ordered = sorted(certain, key=lambda each: (each.pushed_at, sort_key(each.name)), reverse=True)
    return {each.digest for each in ordered[: rule.keep_last or 0]}


def reasons_of(rule: Rule, version: Version, newest: set[str], now: datetime) -> tuple[Reason, ...]:
    """Return every reason to keep the version; none: it is removed. `newest`: digests that `keep_last` keeps."""
    found = {
        Reason.PROTECTED: any(matches(rule.protect_pattern, name) for name in version.names),
        Reason.NO_RULE: not rule.keeps_something,
        Reason.MISSING: version.missing,
        Reason.PATTERN: any(matches(rule.keep_pattern, name) for name in version.names),
        Reason.LAST: version.digest in newest,
        Reason.YOUNG: _within(version.pushed_at, rule.keep_days, now),
        Reason.PULLED: _within(version.pulled_at, rule.keep_pulled_days, now),
        Reason.CHECKED: rule.keep_checked and _within(version.checked_at, rule.keep_pulled_days, now),
        Reason.PUSHED: _within(version.pushed_at, rule.keep_pulled_days, now),
        Reason.NOT_WATCHED: _within(version.first_seen_at, rule.keep_pulled_days, now),
    }
    return tuple(why for why, holds in found.items() if holds)


def _within(moment: datetime | None, days: int | None, now: datetime) -> bool:
    return moment is not None and days is not None and now - moment <= timedelta(days=days)
