"""How rules were read before versions were digests, to find those whose result that changes. PURE.

It counted tags, and took for versions all that tools made but cosign's three and OCI's lists of referrers.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from namespaces.names import stem_of, technical_stem
from registry_sync.retention.policy import Decision, Fate, Rule, Tagged, Version, reasons_of

HUNG = re.compile(r"sha256-[0-9a-f]{64}(\.(?:sig|att|sbom))?")


def gone(rule: Rule, tags: Sequence[Tagged], now: datetime) -> set[str]:
    """Return the tags that went by it."""
    versions = [
        Version(
            each.name,
            (each.name,),
            each.pushed_at,
            each.first_seen_at,
            each.pulled_at,
            each.missing,
            each.checked_at,
        )
        for each in tags
        if not HUNG.fullmatch(each.name)
    ]
    certain = [each for each in versions if not each.missing]
    ordered = sorted(certain, key=lambda each: (each.pushed_at, each.name), reverse=True)
    newest = {each.name for each in ordered[: rule.keep_last or 0]}
    return {each.name for each in versions if not reasons_of(rule, each, newest, now)}


def differs(rule: Rule, tags: Sequence[Tagged], now: datetime, decisions: Sequence[Decision]) -> bool:
    """Return True where `decisions`, as they are made now, take other tags of those that were versions then."""
    going = [each.version for each in decisions if each.fate is not Fate.KEEP]
    stems = {stem_of(each.digest) for each in going}
    along = {
        each.name for each in tags if technical_stem(each.name) in stems and not HUNG.fullmatch(each.name)
    }
    return gone(rule, tags, now) != along | {name for each in going for name in each.names}
