"""The scope grammar, read strictly. PURE.

    scope := item (SP item)*      item := type [ "(" class ")" ] ":" name ":" action ("," action)*

The name may itself hold one ":" (host:port): the first colon ends the type, the last begins the actions.
What is malformed is skipped, and so is what is beyond the bounds: a token server answers with less, it does not fail
(Distribution, docs/spec/auth/scope). Names that no repository can have come back apart: the panel says what is wrong.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from accounts.common.remember import remember_short
from namespaces.access import Action
from namespaces.names import is_repository

# regsync asks for every repository of its configuration at once, and again whenever it meets one more.
MAX_REPOSITORIES = 1000
MAX_INVALID = 20
MAX_LENGTH = 64 * 1024  # characters of all that is asked for
CATALOG = "registry:catalog"
_ACTIONS = {action.value: action for action in Action}


class RequestedAccess(NamedTuple):
    """One repository and what is asked of it; `*` has already become every action."""

    repository: str
    actions: frozenset[Action]


class ParsedScopes(NamedTuple):
    """What a request asks for, in the order first named.

    `invalid`: name → the words asked of it, for names that no repository can have, and for the registry's catalog.
    """

    requested: list[RequestedAccess]
    invalid: dict[str, set[str]]


def parse_scopes(values: Iterable[str]) -> ParsedScopes:
    """Return each repository once, with the union of its actions.

    `values` are the scope parameters as they came, repeated or with several items in one.
    """
    found: dict[str, frozenset[Action]] = {}
    invalid: dict[str, set[str]] = {}
    for item in _items(values):
        kind, _colon, rest = item.partition(":")
        name, _colon, words = rest.rpartition(":")
        # `repository(plugin)` is no repository: the registry matches the type exactly.
        if kind == "repository" and is_repository(name):
            actions = _actions(words)
            if actions and (name in found or len(found) < MAX_REPOSITORIES):
                found[name] = found.get(name, frozenset()) | actions
        elif (name := _invalid_name(kind, name)) and (name in invalid or len(invalid) < MAX_INVALID):
            invalid.setdefault(name, set()).update(words.split(","))
    return ParsedScopes([RequestedAccess(name, actions) for name, actions in found.items()], invalid)


def _items(values: Iterable[str]) -> Iterator[str]:
    """Yield whole items only: the front of one may be another."""
    left = MAX_LENGTH
    for text in values:
        for item in filter(None, text.split(" ")):
            left -= len(item)
            if left < 0:
                return
            yield item


def _invalid_name(kind: str, name: str) -> str:
    if kind == "registry" and name == "catalog":
        return CATALOG
    return name if kind == "repository" else ""


@remember_short(longest=64)
def _actions(text: str) -> frozenset[Action]:
    words = text.split(",")
    if "*" in words:
        return frozenset(Action)
    return frozenset(filter(None, map(_ACTIONS.get, words)))
