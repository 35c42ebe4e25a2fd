"""The rules of a trust policy in words, and what Allow would add to them. PURE."""

from collections.abc import Iterable

from accounts.common.lazy_text import LazyText, joined, verbatim
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens.rules import LIKE, Mismatch, Rules, in_order

_OR = _("%(first)s or %(next)s")
_AND = _("%(first)s and %(next)s")


def rule_texts(rules: Rules) -> list[LazyText]:
    """Return a line for each: "ref is refs/heads/main or refs/heads/stable"."""
    return [_rule_text(claim, rule) for claim, rule in in_order(rules)]


def _rule_text(claim: str, rule: object) -> LazyText:
    assert isinstance(rule, dict)
    ((kind, values),) = rule.items()
    words = joined(map(verbatim, values), _OR)
    if kind == LIKE:
        return _("%(claim)s matches %(values)s", claim=verbatim(claim), values=words)
    return _("%(claim)s is %(values)s", claim=verbatim(claim), values=words)


def added_text(mismatches: Iterable[Mismatch]) -> str:
    """Return what Allow lets in: "environment staging and ref refs/heads/dev"."""
    return joined((verbatim(f"{each.claim} {each.first}") for each in mismatches), _AND)
