"""What a check comes to. PURE."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import to_json


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"  # not checked: another must pass first, or no answer said anything
    PENDING = "pending"  # not run yet: nothing was there to see it by, as in a registry without an image


SHORT = 0.1  # seconds

MARKS = {State.OK: "✓", State.WARN: "!", State.FAIL: "✗", State.SKIPPED: "?", State.PENDING: "…"}


@dataclass(frozen=True, slots=True)
class Fix:
    """Where to change what: a sentence, and the exact lines."""

    where: str
    lines: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    state: State
    text: str
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A finding with the name of its check, as it is kept and shown."""

    key: str
    title: str
    finding: Finding

    def as_row(self) -> dict[str, Any]:
        """{"key", "title", "state", "text", "fixes": [{"where", "lines"}]}, for JSON; the sentences are packed."""
        fixes = [{"where": to_json(fix.where), "lines": fix.lines} for fix in self.finding.fixes]
        text = to_json(self.finding.text)
        return {
            "key": self.key,
            "title": self.title,
            "state": self.finding.state,
            "text": text,
            "fixes": fixes,
        }


def lasted(seconds: float) -> str:
    """As "1.2 s"; below a tenth of a second as "12 ms"."""
    if seconds >= SHORT:
        return _("%(n)s s", n=round(seconds, 1))
    return _("%(n)s ms", n=max(round(seconds * 1000), 1))


def ok(text: str) -> Finding:
    return Finding(State.OK, text)


def warn(text: str, *fixes: Fix) -> Finding:
    return Finding(State.WARN, text, fixes)


def fail(text: str, *fixes: Fix) -> Finding:
    return Finding(State.FAIL, text, fixes)


def skipped(text: str) -> Finding:
    return Finding(State.SKIPPED, text)


def pending(text: str) -> Finding:
    return Finding(State.PENDING, text)


def in_config(section: str, lines: str) -> Fix:
    """Return a change of the registry's configuration, which it reads at its start only."""
    if not section:
        return Fix(_("In the registry’s config.yml, at the top level; then restart the registry:"), lines)
    return Fix(
        _("In the registry’s config.yml, under %(section)s; then restart the registry:", section=section),
        lines,
    )


def in_environment(lines: str) -> Fix:
    return Fix(_("In the environment of all the panel’s processes; then restart them:"), lines)
