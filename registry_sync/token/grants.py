"""From what is asked and what is known to the token's access list. PURE."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict

from namespaces.access import Action, Facts, Verdict, allowed_actions, decide
from registry_sync.token.scope import Requested


class Access(TypedDict):
    """One entry of a registry token's `access` claim."""

    type: str
    name: str
    actions: list[str]


class Refused(NamedTuple):
    """An action that was asked and is not granted, with the verdict that says why."""

    repository: str
    action: Action
    verdict: Verdict


def access_list(requested: Iterable[Requested], facts: Mapping[str, Facts]) -> list[Access]:
    """What is both asked and allowed. An entry that would be empty is left out; nothing is ever added."""
    entries = []
    for each in requested:
        actions = allowed_actions(facts[each.repository], each.actions)
        if actions:
            entries.append(entry(each.repository, [action.value for action in actions]))
    return entries


def refused(
    requested: Iterable[Requested], facts: Mapping[str, Facts], granted: Iterable[Access]
) -> Iterator[Refused]:
    """What of it was asked in vain."""
    actions = {each["name"]: each["actions"] for each in granted}
    for each in requested:
        for action in sorted(each.actions.difference(actions.get(each.repository, ()))):
            yield Refused(each.repository, action, decide(facts[each.repository], action))


def entry(repository: str, actions: list[str]) -> Access:
    return Access(type="repository", name=repository, actions=actions)


# Only for tokens the panel makes for itself: the catalog names every tenant's images.
CATALOG = Access(type="registry", name="catalog", actions=["*"])
