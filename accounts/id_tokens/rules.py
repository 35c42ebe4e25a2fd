"""The rules of a trust policy, compared with the claims of an ID token. PURE.

    rules := {claim: {"is": [value, …]} or {"like": [glob, …]}}

A token matches when every claim that is named has one of its values. A claim that is missing matches nothing; of a list
the first MOST_COMPARED values count. Values are compared as text, letter by letter; a glob knows `*`, `?` and `[…]`,
and `*` passes over slashes too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from accounts.common.lazy_text import LazyText, joined
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens.claims import Claims, find, storable, texts
from accounts.id_tokens.presets import Preset

Rules = Mapping[str, Mapping[str, Sequence[str]]]
IS, LIKE = "is", "like"

MOST_RULES = 20
MOST_VALUES = 20
# Patterns are compiled and tried where tokens are made, and one account's must not keep the others waiting.
MOST_PATTERNS = 20  # of a policy
MOST_WILDCARDS = 10  # of a pattern
MOST_COMPARED = 100  # values of a claim
CLAIM_LENGTH = 100
VALUE_LENGTH = 300
_SHOWN_MOST, _SHOWN_LENGTH = 5, 100
# What every token must say anyway is no rule: the issuer and the audience have fields of their own.
RESERVED = frozenset({"iss", "aud", "exp", "iat", "nbf"})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A rule that a token does not keep: what it says, () where it says nothing, and what it may say."""

    claim: str
    was: tuple[str, ...]
    wanted: tuple[str, ...]
    like: bool = False

    @property
    def first(self) -> str:
        """The first value that is not empty; "" where there is none, so that no rule could allow it."""
        return next(filter(None, self.was), "")

    @property
    def reason(self) -> LazyText:
        values = {"claim": self.claim, "wanted": shown(self.wanted)}
        if not self.was:
            return _("the token has no “%(claim)s”; the policy requires %(wanted)s", **values)
        return _("“%(claim)s” is %(was)s; the policy requires %(wanted)s", was=shown(self.was), **values)


def shown(values: Sequence[str]) -> str:
    """Return them as a sentence names them: cut, and no more than fit in one."""
    cut = [storable(each, _SHOWN_LENGTH) for each in values[:_SHOWN_MOST]]
    return ", ".join(cut) + (" …" if len(values) > _SHOWN_MOST else "")


def in_order(rules: Rules) -> list[tuple[str, Mapping[str, Sequence[str]]]]:
    """Return the rules with ids first, then by name: PostgreSQL gives a JSON object an order of its own."""
    return sorted(rules.items(), key=lambda each: (not each[0].endswith(("_id", "-id", ".uid")), each[0]))


def match(rules: Rules, claims: Claims) -> tuple[Mismatch, ...]:
    """Return the rules that these claims do not keep, in their order; () when they match."""
    return tuple(_mismatches(rules, claims))


def _mismatches(rules: Rules, claims: Claims) -> Iterator[Mismatch]:
    for claim, rule in in_order(rules):
        was = texts(find(claims, claim))[:MOST_COMPARED]
        kind = LIKE if LIKE in rule else IS
        wanted = tuple(rule.get(kind, ()))
        if not (_is_like(was, wanted) if kind == LIKE else set(was) & set(wanted)):
            yield Mismatch(claim, was, wanted, kind == LIKE)


def _is_like(was: Iterable[str], globs: Sequence[str]) -> bool:
    return any(fnmatchcase(value, glob) for value in was for glob in globs)


def joined_reasons(reasons: Iterable[str]) -> str:
    """Return all of them in one sentence, without its full stop."""
    return joined(reasons, _("%(first)s; %(next)s"))


def problems(rules: Any, preset: Preset, issuer: str) -> dict[str, str]:
    """Return claim → what is wrong with its rule; "" is the claim of what is wrong with all of them together.

    `rules` may be anything that JSON can hold. An `issuer` that signs for everybody demands a rule on an owner.
    """
    if not isinstance(rules, dict) or not rules:
        return {"": _("Name at least one claim; otherwise every job of this issuer could sign in.")}
    if len(rules) > MOST_RULES:
        return {"": _("A policy has %(most)s rules at most.", most=MOST_RULES)}
    found = {str(claim): problem for claim, rule in rules.items() if (problem := _problem(claim, rule))}
    if not found and sum(len(rule.get(LIKE, ())) for rule in rules.values()) > MOST_PATTERNS:
        found[""] = _("A policy has %(most)s patterns at most.", most=MOST_PATTERNS)
    if not found and preset.wants_owner(issuer) and not _names_owner(rules, preset):
        names = ", ".join(preset.owner_claims)
        found[""] = _(
            "Strangers’ jobs get tokens from this issuer too. Say whose jobs you mean, with an exact value for "
            "one of: %(names)s.",
            names=names,
        )
    return found


def read(text: str, preset: Preset, issuer: str) -> Rules | None:
    """Return the rules of a stored policy, which are JSON; None where they would let in more than a policy may."""
    found: Rules = json.loads(text)
    return None if problems(found, preset, issuer) else found


def _problem(claim: str, rule: Any) -> str:
    if not claim or claim != claim.strip() or len(claim) > CLAIM_LENGTH or not _storable(claim):
        return _("A claim’s name has 1 to %(most)s characters.", most=CLAIM_LENGTH)
    if claim in RESERVED:
        return _("This claim is always checked, so it cannot be a rule.")
    if not isinstance(rule, dict) or len(rule) != 1 or not set(rule) <= {IS, LIKE}:
        return _("Give either “is” with exact values, or “like” with patterns.")
    ((kind, values),) = rule.items()
    if not isinstance(values, list) or not values or not all(isinstance(each, str) for each in values):
        return _("Give at least one value.")
    if not all(map(_storable, values)):
        return _("A value contains a character that no claim can have.")
    if len(values) > MOST_VALUES or max(map(len, values)) > VALUE_LENGTH or not min(map(len, values)):
        return _(
            "Give at most %(most)s values of 1 to %(length)s characters.",
            most=MOST_VALUES,
            length=VALUE_LENGTH,
        )
    if kind == LIKE and any(not value.strip("*?") for value in values):
        return _("A pattern of * or ? alone would match everything.")
    if kind == LIKE and any(sum(map(value.count, "*?[")) > MOST_WILDCARDS for value in values):
        return _("A pattern has %(most)s of *, ? and [ at most.", most=MOST_WILDCARDS)
    return ""


def _storable(text: str) -> bool:
    """Databases take neither NUL nor half of a character."""
    return "\x00" not in text and text.isprintable()


def _names_owner(rules: Mapping[str, Mapping[str, Any]], preset: Preset) -> bool:
    """Patterns do not count: the start of an id is the start of other ids."""
    return any(IS in rules.get(claim, {}) for claim in preset.owner_claims)
