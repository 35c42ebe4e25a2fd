"""The scope grammar, read strictly. PURE.

    scope := item (SP item)*      item := type [ "(" class ")" ] ":" name ":" action ("," action)*

The name may itself hold one ":" (host:port): the first colon ends the type, the last begins the actions.
What is malformed is skipped: a token server answers with less, it does not fail (protocol of Distribution).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from namespaces.access import Action
from namespaces.names import is_repository

MAX_ITEMS = 100
MAX_LENGTH = 16 * 1024
_ACTIONS = {action.value: action for action in Action}


class TooMuch(ValueError):
    """More scopes than any client asks for."""


@dataclass(frozen=True, slots=True)
class Requested:
    """One repository and what is asked of it; `*` has already become every action."""

    repository: str
    actions: frozenset[Action]


def parse(values: Iterable[str]) -> list[Requested]:
    """The repositories asked for, each once with the union of its actions, in the order first named.

    `values` are the scope parameters as they came, repeated or with several items in one. Raises TooMuch.
    """
    found: dict[str, frozenset[Action]] = {}
    for item in _items(values):
        requested = _item(item)
        if requested:
            found[requested.repository] = found.get(requested.repository, frozenset()) | requested.actions
    return [Requested(repository, actions) for repository, actions in found.items()]


def _items(values: Iterable[str]) -> list[str]:
    texts = list(values)
    if sum(map(len, texts)) > MAX_LENGTH:
        raise TooMuch(f"scopes may have at most {MAX_LENGTH} characters together")
    items = [item for text in texts for item in text.split(" ") if item]
    if len(items) > MAX_ITEMS:
        raise TooMuch(f"at most {MAX_ITEMS} scopes can be asked for at once")
    return items


def _item(item: str) -> Requested | None:
    kind, first, rest = item.partition(":")
    name, last, actions = rest.rpartition(":")
    # `repository(plugin)` is no repository: the registry matches the type exactly.
    if kind != "repository" or not (first and last) or not is_repository(name):
        return None
    wanted = _actions(actions)
    return Requested(name, wanted) if wanted else None


def _actions(text: str) -> frozenset[Action]:
    words = text.split(",")
    if "*" in words:
        return frozenset(Action)
    return frozenset(_ACTIONS[word] for word in words if word in _ACTIONS)
