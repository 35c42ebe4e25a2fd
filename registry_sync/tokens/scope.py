"""The scope grammar, read strictly. PURE.

    scope := item (SP item)*      item := type [ "(" class ")" ] ":" name ":" action ("," action)*

The name may itself hold one ":" (host:port): the first colon ends the type, the last begins the actions.
What is malformed is skipped, and so is what is beyond the bounds: a token server answers with less, it does not fail
(protocol of Distribution).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from namespaces.access import Action
from namespaces.names import is_repository

# regsync asks for every repository of its configuration at once, and again whenever it meets one more.
MAX_REPOSITORIES = 1000
MAX_LENGTH = 64 * 1024  # characters of all that is asked for
_ACTIONS = {action.value: action for action in Action}


@dataclass(frozen=True, slots=True)
class RequestedAccess:
    """One repository and what is asked of it; `*` has already become every action."""

    repository: str
    actions: frozenset[Action]


def parse_scopes(values: Iterable[str]) -> list[RequestedAccess]:
    """Return the repositories asked for, each once with the union of its actions, in the order first named.

    `values` are the scope parameters as they came, repeated or with several items in one.
    """
    found: dict[str, frozenset[Action]] = {}
    for item in _items(values):
        requested = _item(item)
        if requested and (requested.repository in found or len(found) < MAX_REPOSITORIES):
            found[requested.repository] = found.get(requested.repository, frozenset()) | requested.actions
    return [RequestedAccess(repository, actions) for repository, actions in found.items()]


def _items(values: Iterable[str]) -> Iterator[str]:
    """Whole ones: the front of one may be another."""
    left = MAX_LENGTH
    for text in values:
        for item in filter(None, text.split(" ")):
            left -= len(item)
            if left < 0:
                return
            yield item


def _item(item: str) -> RequestedAccess | None:
    kind, first, rest = item.partition(":")
    name, last, actions = rest.rpartition(":")
    # `repository(plugin)` is no repository: the registry matches the type exactly.
    if kind != "repository" or not (first and last) or not is_repository(name):
        return None
    wanted = _actions(actions)
    return RequestedAccess(name, wanted) if wanted else None


def _actions(text: str) -> frozenset[Action]:
    words = text.split(",")
    if "*" in words:
        return frozenset(Action)
    return frozenset(_ACTIONS[word] for word in words if word in _ACTIONS)
