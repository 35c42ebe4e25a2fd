"""From what is asked and what is known to the token's access list. PURE."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict

from accounts.common.lazy_text import lazy as _
from namespaces.access import AccessContext, Action, Level, Verdict, allowed_actions, decide
from registry_sync.tokens.scope import Requested


class Access(TypedDict):
    """One entry of a registry token's `access` claim."""

    type: str
    name: str
    actions: list[str]


class Refused(NamedTuple):
    """An action that was asked and is not granted, with the verdict that says why.

    `sources` are other images whose layers the same push asked for in vain.
    """

    repository: str
    action: str
    verdict: Verdict
    sources: tuple[str, ...] = ()


# What is refused to a push that was allowed: to have the registry reuse layers of other images.
MOUNT = "mount"  # as of a Denial
_NOT_REUSED = Verdict(
    allowed=False,
    reason=_("layers of other images cannot be reused without read there; the push itself was allowed"),
    level=Level.NONE,
    remedy=_("Nothing, if it was a push: it uploads them instead. A copy needs read on what it copies."),
)


def access_list(requested: Iterable[Requested], facts: Mapping[str, AccessContext]) -> list[Access]:
    """Return what is asked and allowed. An entry that would be empty is left out; nothing is ever added."""
    entries = []
    for each in requested:
        actions = allowed_actions(facts[each.repository], each.actions)
        if actions:
            entries.append(entry(each.repository, [action.value for action in actions]))
    return entries


def refused(
    requested: Iterable[Requested], facts: Mapping[str, AccessContext], granted: Iterable[Access]
) -> Iterator[Refused]:
    """Yield what of it was asked in vain."""
    actions = {each["name"]: each["actions"] for each in granted}
    for each in requested:
        for action in sorted(each.actions.difference(actions.get(each.repository, ()))):
            yield Refused(each.repository, action.value, decide(facts[each.repository], action))


# These read what they copy before they push: a pull that is refused to them is what failed, whatever it stands beside.
COPIERS = frozenset({"oras", "regctl", "regsync", "regbot"})


def folded(requested: Iterable[Requested], refused: Iterable[Refused], client: str) -> list[Refused]:
    """Fold the pulls of a `client` that pushes, which also asks for images that may hold the same layers.

    Those are no acts of their own: they are told with the push, be it allowed or refused.
    """
    if client.partition("/")[0] in COPIERS:
        return list(refused)
    asked = {each.repository: each.actions for each in requested}
    pushes = [repository for repository, actions in asked.items() if Action.PUSH in actions]
    if not pushes:
        return list(refused)
    acts: list[Refused] = []
    sources: list[Refused] = []
    for each in refused:
        (sources if asked[each.repository] == {Action.PULL} else acts).append(each)
    if not sources:
        return acts
    failed = {each.repository for each in acts if each.action == Action.PUSH}
    names = tuple(each.repository for each in sources)
    allowed = next((repository for repository in pushes if repository not in failed), "")
    if allowed:
        return [*acts, Refused(allowed, MOUNT, _NOT_REUSED, names)]
    return [each._replace(sources=names) if each.action == Action.PUSH else each for each in acts]


def entry(repository: str, actions: list[str]) -> Access:
    return Access(type="repository", name=repository, actions=actions)


# Only for tokens the panel makes for itself: the catalog names every tenant's images.
CATALOG = Access(type="registry", name="catalog", actions=["*"])
